/* SPDX-License-Identifier: MIT */
/* HTTP Basic authentication (RFC 7617): the user name is `{username}/token`, the password a token
 * of the account. */
#ifndef AUTH_BASIC_H
#define AUTH_BASIC_H

#include "auth/guesses.h"
#include "base/arena.h"
#include "store/store.h"

enum auth_result {
	AUTH_OK,
	AUTH_UNKNOWN,   /* no such user name or token, or disabled, or nothing readable: 401 */
	AUTH_FORBIDDEN, /* known, but without full access: 403 */
	AUTH_TOO_MANY,  /* not looked at, after too many that were refused: 429 */
};

/* Who asks, and for what. */
struct auth_request {
	struct slice account; /* a name */
	struct slice header;  /* the value of Authorization; "" where there is none */
	struct ip source;
	struct guesses *guesses;
	int64_t now_ms; /* by monotonic_ms() */
};

/* Decides from the header. Whatever is wrong, the same work is done, so that the time does not tell
 * what it was. A request without the header is no guess, and is not counted as one: many clients
 * ask once without. On AUTH_OK and AUTH_FORBIDDEN `access_out` is filled in, on AUTH_TOO_MANY
 * `wait_out`, the seconds until it may be tried again. An error is one of the store's. */
enum err auth_basic(struct store *store, const struct auth_request *request, struct arena *arena,
		    enum auth_result *result_out, struct access *access_out, unsigned *wait_out);

#endif
