/* SPDX-License-Identifier: MIT */
/* Reads certificates and keys, checks that they belong together, and finds the certificate for a
 * name. */
#include "certificates/certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1000 /* of one certificate, that are told */

static enum err file_fail(struct buf *why, const char *file, int code)
{
	buf_printf(why, "%s: %s", file, gnutls_strerror(code));
	return code == GNUTLS_E_MEMORY_ERROR ? ERR_NOMEM : ERR_IO;
}

/* Reads a file. `why` says why it cannot be read: GnuTLS itself does not say it. */
static enum err file_load(const char *file, gnutls_datum_t *text_out, struct buf *why)
{
	int code;

	errno = 0;
	code = gnutls_load_file(file, text_out);
	if (!code)
		return OK;
	if (code != GNUTLS_E_FILE_ERROR || !errno)
		return file_fail(why, file, code);
	buf_printf(why, "cannot read %s: %s", file, strerror(errno));
	return ERR_IO;
}

static enum err certificate_read_chain(struct certificate *certificate, const char *file,
				       struct buf *why)
{
	unsigned count = CHAIN_MAX;
	gnutls_datum_t text;
	enum err err = file_load(file, &text, why);
	int code;

	if (err)
		return err;
	code = gnutls_pcert_list_import_x509_raw(certificate->chain, &count, &text,
						 GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
	gnutls_free(text.data);
	if (code) {
		buf_printf(why, "%s: is not a chain of at most %d PEM certificates: %s", file,
			   CHAIN_MAX, gnutls_strerror(code));
		return ERR_IO;
	}
	certificate->chain_len = count;
	code = gnutls_pcert_export_x509(&certificate->chain[0], &certificate->leaf);
	return code ? file_fail(why, file, code) : OK;
}

static enum err certificate_read_key(struct certificate *certificate, const char *file,
				     struct buf *why)
{
	gnutls_datum_t text;
	enum err err = file_load(file, &text, why);
	int code;

	if (err)
		return err;
	code = gnutls_privkey_init(&certificate->key);
	if (!code)
		code = gnutls_privkey_import_x509_raw(certificate->key, &text, GNUTLS_X509_FMT_PEM,
						      NULL, 0);
	gnutls_memset(text.data, 0, text.size);
	gnutls_free(text.data);
	if (code) {
		buf_printf(why, "%s: is not a PEM key without a password: %s", file,
			   gnutls_strerror(code));
		return ERR_IO;
	}
	return OK;
}

/* Whether the certificate belongs to the key: compares the digests of their public keys. */
static bool certificate_has_key(const struct certificate *certificate)
{
	unsigned char ids[2][64];
	size_t sizes[2] = {sizeof(ids[0]), sizeof(ids[1])};
	gnutls_pubkey_t half;
	bool same;

	if (gnutls_pubkey_init(&half))
		return false;
	same = gnutls_pubkey_import_privkey(half, certificate->key, 0, 0) == 0 &&
	       gnutls_pubkey_get_key_id(half, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) == 0 &&
	       gnutls_pubkey_get_key_id(certificate->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
					ids[1], &sizes[1]) == 0 &&
	       sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
	gnutls_pubkey_deinit(half);
	return same;
}

/* Adds a name of the certificate. An address of another size than 4 or 16 bytes, and anything but
 * printable ASCII, is no name that a client can ask for. */
static void names_add(struct buf *names, unsigned type, const char *name, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	if (type == GNUTLS_SAN_IPADDRESS) {
		if (size != 4 && size != 16)
			return;
		name = inet_ntop(size == 4 ? AF_INET : AF_INET6, name, address, sizeof(address));
		size = name ? strlen(name) : 0;
	}
	if (type != GNUTLS_SAN_IPADDRESS && type != GNUTLS_SAN_DNSNAME)
		return;
	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return;
	buf_printf(names, "%s%.*s", names->len ? " " : "", (int)size, name);
}

/* Sets what http_each_certificate() tells. A name that GnuTLS cannot read is left out. */
static enum err certificate_describe(struct certificate *certificate, const char *file)
{
	int code = 0;

	for (unsigned i = 0; i < NAMES_MAX && code != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
		char name[256];
		size_t size = sizeof(name);
		unsigned type;

		code = gnutls_x509_crt_get_subject_alt_name2(certificate->leaf, i, name, &size,
							     &type, NULL);
		if (code >= 0)
			names_add(&certificate->names, type, name, size);
	}
	buf_add(&certificate->names, "", 1);
	certificate->file = strdup(file);
	if (certificate->names.failed || !certificate->file)
		return ERR_NOMEM;
	certificate->facts = (struct certificate_facts){
		.file = certificate->file,
		.names = certificate->names.ptr,
		.valid_from = gnutls_x509_crt_get_activation_time(certificate->leaf),
		.valid_to = gnutls_x509_crt_get_expiration_time(certificate->leaf),
	};
	return OK;
}

static enum err certificate_read_pair(struct certificate *certificate, const char *chain,
				      const char *key, struct buf *why)
{
	enum err err = certificate_read_chain(certificate, chain, why);

	if (!err)
		err = certificate_read_key(certificate, key, why);
	if (!err && !certificate_has_key(certificate)) {
		buf_printf(why, "%s: is not the key of the certificate in %s", key, chain);
		err = ERR_IO;
	}
	if (!err)
		err = certificate_describe(certificate, chain);
	return err;
}

static size_t list_count(const char *list)
{
	size_t count = 1;

	for (; *list; list++)
		count += *list == ',';
	return count;
}

/* Copies the next name of a comma list and moves past it. False: it is empty or too long. */
static bool list_next(const char **list, char *name_out, size_t size)
{
	size_t len = strcspn(*list, ",");

	if (len == 0 || len >= size)
		return false;
	snprintf(name_out, size, "%.*s", (int)len, *list);
	*list += len + ((*list)[len] == ',');
	return true;
}

enum err certificates_read(const char *chains, const char *keys, struct certificates **set_out,
			   struct buf *why)
{
	size_t count = list_count(chains);
	struct certificates *set;
	enum err err = OK;

	if (count != list_count(keys)) {
		buf_printf(why, "there are %zu files of certificates but %zu of keys", count,
			   list_count(keys));
		return ERR_INVALID;
	}
	set = calloc(1, sizeof(*set) + count * sizeof(set->list[0]));
	if (!set)
		return ERR_NOMEM;
	atomic_store(&set->held, 1);
	set->count = count;
	for (size_t i = 0; i < count && !err; i++) {
		char chain[4096], key[4096];

		if (list_next(&chains, chain, sizeof(chain)) &&
		    list_next(&keys, key, sizeof(key))) {
			err = certificate_read_pair(&set->list[i], chain, key, why);
		} else {
			buf_add_text(why, "the name of a file with a certificate or a key is empty "
					  "or too long");
			err = ERR_INVALID;
		}
	}
	if (err)
		certificates_release(set);
	else
		*set_out = set;
	return err;
}

void certificates_hold(struct certificates *set)
{
	atomic_fetch_add(&set->held, 1);
}

void certificates_release(struct certificates *set)
{
	if (!set || atomic_fetch_sub(&set->held, 1) != 1)
		return;
	for (size_t i = 0; i < set->count; i++) {
		struct certificate *certificate = &set->list[i];

		for (unsigned j = 0; j < certificate->chain_len; j++)
			gnutls_pcert_deinit(&certificate->chain[j]);
		gnutls_privkey_deinit(certificate->key);
		gnutls_x509_crt_deinit(certificate->leaf);
		free(certificate->file);
		buf_release(&certificate->names);
	}
	free(set);
}

const struct certificate *certificates_find(const struct certificates *set, const char *name)
{
	for (unsigned wildcards = 0; wildcards < 2; wildcards++)
		for (size_t i = 0; i < set->count; i++)
			if (gnutls_x509_crt_check_hostname2(
				    set->list[i].leaf, name,
				    wildcards ? 0 : GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS))
				return &set->list[i];
	return &set->list[0];
}
