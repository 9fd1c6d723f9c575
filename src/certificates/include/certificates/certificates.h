/* SPDX-License-Identifier: MIT */
/* Certificates with their keys, and the choice of one for the name that a client asks for. A set of
 * certificates never changes: a new set takes its place. Sets are reference-counted.
 *
 *	struct certificates *set;
 *
 *	err = certificates_read("a.pem,b.pem", "a.key,b.key", &set, &why);
 *	if (!err)
 *		certificate = certificates_find(set, "b.example.com");
 *	…
 *	certificates_release(set); */
#ifndef CERTIFICATES_CERTIFICATES_H
#define CERTIFICATES_CERTIFICATES_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "certificates/facts.h"

#define CHAIN_MAX 16 /* certificates in one file */

struct certificate {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_len;
	gnutls_privkey_t key;
	gnutls_x509_crt_t leaf; /* the first of the chain, for its names */
	struct certificate_facts facts;
	char *file;
	struct buf names;
};

struct certificates {
	atomic_uint held;
	size_t count; /* at least 1 */
	struct certificate list[];
};

/* Reads certificates from PEM files. `chains` and `keys` list the names of the files, with commas
 * between them. The first key belongs to the first chain, and so on. The caller gets one reference
 * to the set. ERR_INVALID: the lists differ in length, or a name is empty or too long. ERR_IO: a
 * file cannot be read or has the wrong contents. ERR_NOMEM. `why` says which file and what is
 * wrong. A certificate need not be valid now. */
enum err certificates_read(const char *chains, const char *keys, struct certificates **set_out,
			   struct buf *why);

void certificates_hold(struct certificates *set);
/* NULL is accepted. */
void certificates_release(struct certificates *set);

/* The certificate for a host name: one with exactly this name, else one with a wildcard for its
 * first label (RFC 6125, section 6.4), else the first of the set. */
const struct certificate *certificates_find(const struct certificates *set, const char *name);

#endif
