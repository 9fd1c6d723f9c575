/* SPDX-License-Identifier: MIT */
/* HTTP Basic authentication against staff members and tokens. */
#include "accounts/accounts.h"
#include "auth/basic.h"

#include <sodium.h>

#include "accounts/token_addresses.h"
#include "auth/token.h"
#include "base/text.h"

#define CREDENTIALS_MAX 512

struct credentials {
	struct slice username; /* empty when unreadable */
	struct slice token;
};

/* Decodes the base64 of a text. The challenge demands UTF-8 (RFC 7617, section 2.1). What is not
 * UTF-8 is taken for Latin-1, which some clients send nevertheless. False if this is not base64, or
 * if the text has a NUL. */
static bool read_text(struct slice header, char text[2 * CREDENTIALS_MAX], size_t *len_out)
{
	char bytes[CREDENTIALS_MAX];
	const char *end;
	size_t len;
	bool fine =
		!sodium_base642bin((unsigned char *)bytes, sizeof(bytes), header.ptr, header.len,
				   NULL, &len, &end, sodium_base64_VARIANT_ORIGINAL) &&
		end == header.ptr + header.len && !memchr(bytes, '\0', len);

	if (fine && text_is_utf8((struct slice){bytes, len})) {
		memcpy(text, bytes, len);
		*len_out = len;
	} else if (fine) {
		*len_out = text_from_latin1((struct slice){bytes, len}, text);
	}
	sodium_memzero(bytes, sizeof(bytes));
	return fine;
}

/* Reads `Basic` and the base64 of `{username}/token:{token}`. The slices point into `decoded`. */
static struct credentials read_header(struct slice header, char decoded[2 * CREDENTIALS_MAX])
{
	struct credentials none = {SLICE(""), SLICE("")}, found;
	const char *colon;
	size_t len;

	if (header.len < 6 || strncasecmp(header.ptr, "Basic ", 6) != 0)
		return none;
	header.ptr += 6;
	header.len -= 6;
	while (header.len && *header.ptr == ' ') {
		header.ptr++;
		header.len--;
	}
	if (!read_text(header, decoded, &len))
		return none;
	colon = memchr(decoded, ':', len);
	if (!colon)
		return none;
	found.username = (struct slice){decoded, (size_t)(colon - decoded)};
	found.token = (struct slice){colon + 1, len - found.username.len - 1};
	if (found.username.len <= 6 ||
	    memcmp(found.username.ptr + found.username.len - 6, "/token", 6) != 0)
		return none;
	found.username.len -= 6;
	return found;
}

static bool is_elsewhere(const struct auth_request *request)
{
	const struct slice addresses = request->lookup.access.token.addresses;

	return addresses.len &&
	       (!request->source_known || !token_addresses_have(addresses, &request->source));
}

bool auth_token_works(const struct auth_request *request)
{
	const struct access *access = &request->lookup.access;

	return sodium_memcmp(access->token.hash, request->lookup.hash, TOKEN_HASH_BYTES) == 0 &&
	       access->token_known && !is_elsewhere(request);
}

static enum auth_result auth_decide(const struct auth_request *request)
{
	const struct access *access = &request->lookup.access;

	if (!auth_token_works(request) || access->staff_id == ID_NONE ||
	    access->level == STAFF_DISABLED)
		return AUTH_UNKNOWN;
	return access->level == STAFF_FULL ? AUTH_OK : AUTH_FORBIDDEN;
}

bool auth_begin(struct auth_request *request, struct arena *arena)
{
	char decoded[2 * CREDENTIALS_MAX];
	struct credentials given = read_header(request->header, decoded);
	const char *username;

	access_read_init(&request->lookup, arena);
	username = arena_copy(arena, given.username);
	request->lookup.account = request->account;
	/* If memory runs out, the user name is empty. No user has an empty name. */
	request->lookup.username =
		username ? (struct slice){username, given.username.len} : SLICE("");
	token_hash(given.token, request->lookup.hash);
	sodium_memzero(decoded, sizeof(decoded));
	request->guess = (struct guess){.account = request->account,
					.source = request->source,
					.token_hash = request->lookup.hash,
					.now_ms = request->now_ms};
	request->wait = request->header.len ? guesses_begin(request->guesses, &request->guess) : 0;
	request->result = request->wait ? AUTH_TOO_MANY : AUTH_OK;
	return !request->wait;
}

enum auth_result auth_end(struct auth_request *request, struct store *store)
{
	const struct access *access = &request->lookup.access;
	enum auth_result result = auth_decide(request);

	if (result != AUTH_UNKNOWN) {
		store_token_used(store, access);
		guesses_passed(request->guesses, &request->guess);
	} else if (request->header.len) {
		/* Otherwise the limit would not apply, and would tell a thief that the token is
		 * right. */
		if (is_elsewhere(request))
			request->guess.known = false;
		request->wait = guesses_refused(request->guesses, &request->guess);
		result = request->wait ? AUTH_TOO_MANY : AUTH_UNKNOWN;
	}
	request->result = result;
	return result;
}

void auth_drop(struct auth_request *request)
{
	guesses_dropped(request->guesses, &request->guess);
}

const char *auth_reason(const struct auth_request *request)
{
	const struct access *access = &request->lookup.access;
	const bool token_found =
		memcmp(access->token.hash, request->lookup.hash, TOKEN_HASH_BYTES) == 0;
	/* The first row that holds is the reason. */
	const struct {
		bool holds;
		const char *reason;
	} rows[] = {
		{request->result == AUTH_OK, NULL},
		{request->result == AUTH_TOO_MANY, "too many refusals"},
		{request->header.len == 0, "no credentials"},
		{request->lookup.username.len == 0, "malformed credentials"},
		{access->account.id == ID_NONE, "unknown account"},
		{access->staff_id == ID_NONE, "unknown user"},
		{access->level == STAFF_DISABLED, "disabled user"},
		{!token_found, "wrong token"},
		{!access->token_known, "expired token"},
		{is_elsewhere(request), "address of the token"},
		{true, "limited user"},
	};
	size_t i = 0;

	while (!rows[i].holds)
		i++;
	return rows[i].reason;
}
