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
	AUTH_UNKNOWN,   /* 401: unreadable header, unknown user name or token, or disabled user */
	AUTH_FORBIDDEN, /* 403: the user does not have full access */
	AUTH_TOO_MANY,  /* 429: too many attempts were refused or are being looked up */
};

/* The credentials of a request, and what is known about them. */
struct auth_request {
	struct slice account; /* its name */
	struct slice header;  /* the value of Authorization; "" if there is none */
	struct ip source;
	bool source_known; /* false: a proxy did not tell the address; `source` is the proxy's */
	struct guesses *guesses;
	int64_t now_ms; /* by monotonic_ms() */
	unsigned wait;  /* AUTH_TOO_MANY: after how many seconds the client may try again */
	struct guess guess;
	enum auth_result result;
	/* The caller executes this read between auth_begin() and auth_end(). It finds the account,
	 * the token and the staff member. */
	struct access_read lookup;
};

/* Reads the header. False: the result is AUTH_TOO_MANY. True: the caller must call auth_end() or
 * auth_drop(). The time that the functions take does not show what is wrong: they do the same work
 * in every case. */
bool auth_begin(struct auth_request *request, struct arena *arena);

/* Decides from the result of the read. A token that does not work from the address of the request
 * is refused as an unknown one, and counts as a guess as that does. A request without the header
 * does not count as a guess: many clients send one first. */
enum auth_result auth_end(struct auth_request *request, struct store *store);
/* Whether the token was found and works from the address of the request, whoever the user is. Only
 * after the read. */
bool auth_token_works(const struct auth_request *request);
/* Instead of auth_end(), if the read failed. */
void auth_drop(struct auth_request *request);

/* Why the request was refused; NULL if it was not. Only for the log: the answer must not say it. */
const char *auth_reason(const struct auth_request *request);

#endif
