/* SPDX-License-Identifier: MIT */
/* HTTP Basic authentication against staff members and tokens. */
#include "auth/basic.h"

#include <sodium.h>

#include "auth/token.h"
#include "base/text.h"

#define CREDENTIALS_MAX 512

struct credentials {
	struct slice username; /* empty when unreadable */
	struct slice token;
};

/* `Basic` and base64 of `{username}/token:{token}`. `decoded` holds what the slices point at. */
static struct credentials read_header(struct slice header, char decoded[CREDENTIALS_MAX])
{
	struct credentials none = {SLICE(""), SLICE("")}, found;
	const char *end, *colon;
	size_t len;

	if (header.len < 6 || strncasecmp(header.ptr, "Basic ", 6) != 0)
		return none;
	header.ptr += 6;
	header.len -= 6;
	while (header.len && *header.ptr == ' ') {
		header.ptr++;
		header.len--;
	}
	if (sodium_base642bin((unsigned char *)decoded, CREDENTIALS_MAX, header.ptr, header.len,
			      NULL, &len, &end, sodium_base64_VARIANT_ORIGINAL) ||
	    end != header.ptr + header.len)
		return none;
	colon = memchr(decoded, ':', len);
	if (!colon || memchr(decoded, '\0', len) || !text_is_utf8((struct slice){decoded, len}))
		return none;
	found.username = (struct slice){decoded, (size_t)(colon - decoded)};
	found.token = (struct slice){colon + 1, len - found.username.len - 1};
	if (found.username.len <= 6 ||
	    memcmp(found.username.ptr + found.username.len - 6, "/token", 6) != 0)
		return none;
	found.username.len -= 6;
	return found;
}

enum err auth_basic(struct store *store, struct slice account, struct slice header,
		    struct arena *arena, enum auth_result *result_out, struct access *access_out)
{
	char decoded[CREDENTIALS_MAX];
	unsigned char hash[TOKEN_HASH_BYTES];
	struct credentials given = read_header(header, decoded);
	struct access access;
	enum err err;

	token_hash(given.token, hash);
	err = store_access(store, account, given.username, hash, arena, &access);
	sodium_memzero(decoded, sizeof(decoded));
	if (err)
		return err;
	if (sodium_memcmp(access.token_hash, hash, sizeof(hash)) != 0 || !access.token_known ||
	    access.staff_id == ID_NONE || access.level == STAFF_DISABLED) {
		*result_out = AUTH_UNKNOWN;
		return OK;
	}
	*result_out = access.level == STAFF_FULL ? AUTH_OK : AUTH_FORBIDDEN;
	*access_out = access;
	return OK;
}
