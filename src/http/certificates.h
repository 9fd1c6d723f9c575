/* SPDX-License-Identifier: MIT */
/* Certificates with their keys, and which of them is for a name that a client asks for. A set of
 * them is never changed: it is replaced as a whole, and lives as long as anybody holds it. */
#ifndef HTTP_CERTIFICATES_H
#define HTTP_CERTIFICATES_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define CHAIN_MAX 16 /* certificates in one file */

struct certificate {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_len;
	gnutls_privkey_t key;
	gnutls_x509_crt_t leaf; /* the first of the chain, for its names */
};

struct certificates {
	atomic_uint held;
	size_t count; /* at least 1 */
	struct certificate list[];
};

/* Reads pairs of PEM files, a chain and its key each: comma lists of as many files. Held once.
 * ERR_INVALID where the lists do not fit together, ERR_IO where a file cannot be read or is not
 * what it must be, ERR_NOMEM; `why` says what and which. What is out of its time is a warning. */
enum err certificates_read(const char *chains, const char *keys, struct certificates **set_out,
			   struct buf *why);

void certificates_hold(struct certificates *set);
/* NULL is accepted. */
void certificates_release(struct certificates *set);

/* The certificate for a host name: one that has exactly it, else one with a wildcard in the place
 * of its first label (RFC 6125, section 6.4), else the first of all. */
const struct certificate *certificates_find(const struct certificates *set, const char *name);

#endif
