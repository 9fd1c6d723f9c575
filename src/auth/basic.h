/* SPDX-License-Identifier: MIT */
/* HTTP Basic authentication (RFC 7617): the user name is `{username}/token`, the password a token
 * of the account. */
#ifndef AUTH_BASIC_H
#define AUTH_BASIC_H

#include "base/arena.h"
#include "store/store.h"

enum auth_result {
	AUTH_OK,
	AUTH_UNKNOWN,   /* no such user name or token, or disabled, or nothing readable: 401 */
	AUTH_FORBIDDEN, /* known, but without full access: 403 */
};

/* `account` is a name. Decides from the value of the Authorization header ("" where there is none).
 * Whatever is wrong, the same work is done, so that the time does not tell what it was. On AUTH_OK
 * `access_out` is filled in. An error is one of the store's. */
enum err auth_basic(struct store *store, struct slice account, struct slice header,
		    struct arena *arena, enum auth_result *result_out, struct access *access_out);

#endif
