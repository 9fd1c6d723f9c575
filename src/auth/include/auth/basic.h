/* SPDX-License-Identifier: MIT */
/* HTTP Basic authentication (RFC 7617): the user name is `{username}/token`, the password a token
 * of the account. */
#ifndef AUTH_BASIC_H
#define AUTH_BASIC_H

#include "accounts/accounts.h"
#include "auth/guesses.h"
#include "base/arena.h"
#include "store/store.h"

enum auth_result {
	AUTH_OK,
	AUTH_UNKNOWN,   /* no such user name or token, or disabled, or nothing readable: 401 */
	AUTH_FORBIDDEN, /* known, but without full access: 403 */
	AUTH_TOO_MANY,  /* too many were refused, before it or at the same time: 429 */
};

/* Who asks, and for what. */
struct auth_request {
	struct slice account; /* a name */
	struct slice header;  /* the value of Authorization; "" where there is none */
	struct ip source;
	struct guesses *guesses;
	int64_t now_ms; /* by monotonic_ms() */
	unsigned wait;  /* seconds, of AUTH_TOO_MANY */
	struct guess guess;
	enum auth_result result;
	/* To be read between the two calls below; then it has who it is. */
	struct access_read lookup;
};

/* Reads the header. False where the request is not to be looked at, but told to wait; else one of
 * the next two calls must follow. Whatever is wrong, the same work is done, so that the time does
 * not tell what it was. */
bool auth_begin(struct auth_request *request, struct arena *arena);

/* Decides from what was read. A request without the header is no guess, and is not counted as one:
 * many clients ask once without. */
enum auth_result auth_end(struct auth_request *request, struct store *store);
/* Where nothing could be read. */
void auth_drop(struct auth_request *request);

/* Why it was refused, for the log alone: the answer must not tell. NULL where it was not. */
const char *auth_reason(const struct auth_request *request);

#endif
