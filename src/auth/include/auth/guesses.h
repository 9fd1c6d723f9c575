/* SPDX-License-Identifier: MIT */
/* Limits how often one source may guess the tokens of an account. A source is an IPv4 address or an
 * IPv6 network (ip_network()). A token has 192 random bits, so nobody can guess one. The limit
 * keeps wrong guesses from putting load on the database and from filling the log.
 *
 * The limit counts refused attempts by the account name in the request. If GUESSES_MAX attempts of
 * one source at one account are refused within a minute, its further attempts at that account are
 * refused without a look-up until the minute is over. If GUESSES_SOURCE_MAX attempts of one source
 * are refused, at any accounts, its attempts at every account are refused in the same way. Attempts
 * count whether or not the account and the user name exist. So the limit does not reveal whether
 * they exist.
 *
 * While an attempt is being looked up, it counts as refused. So concurrent attempts cannot exceed
 * the limits. Concurrent attempts of one source at one account with the same token count as one.
 *
 * A token that was valid before, or that existed when the server started, is always looked up. So
 * other clients behind the same address cannot lock out the owner of the token. The table of these
 * tokens has a fixed size, for some 100,000 tokens. When there is no room for a new token, it
 * replaces one that has not been used for long. Any thread may call these functions. */
#ifndef AUTH_GUESSES_H
#define AUTH_GUESSES_H

#include <stdint.h>

#include "accounts/accounts.h"
#include "auth/token.h"
#include "base/ip.h"

#define GUESSES_MAX 20
#define GUESSES_SOURCE_MAX 100
#define GUESSES_WINDOW_MS 60000

struct guesses;

struct store;

/* One attempt. It must not be moved between guesses_begin() and the call that ends it. */
struct guess {
	struct slice account; /* the account name in the request */
	struct ip source;
	const unsigned char *token_hash; /* TOKEN_HASH_BYTES */
	int64_t now_ms;                  /* the time of monotonic_ms() */
	/* Set by guesses_begin(): the token was valid before. The caller may clear it. */
	bool known;

	/* Only guesses.c uses the rest. */
	bool reserved; /* it is counted as being looked up */
	uint64_t attempt;
	struct guess *next;
};

/* NULL if memory runs out. */
struct guesses *guesses_new(void);
/* NULL is accepted. */
void guesses_free(struct guesses *guesses);

/* Returns 0 if the attempt may be looked up. Then the caller must end it with one of the three
 * functions below. Otherwise the limit refuses the attempt, and the function returns the number of
 * seconds after which the client may repeat it. */
unsigned guesses_begin(struct guesses *guesses, struct guess *guess);

/* Ends an attempt whose token was wrong. Usually it counts the attempt and returns 0. If concurrent
 * attempts have reached the limit in the meantime, it does not count the attempt and returns the
 * number of seconds after which the client may repeat it. */
unsigned guesses_refused(struct guesses *guesses, struct guess *guess);
/* Ends an attempt whose token was valid. */
void guesses_passed(struct guesses *guesses, struct guess *guess);
/* Ends an attempt whose token could not be looked up. */
void guesses_dropped(struct guesses *guesses, struct guess *guess);

/* How many attempts were refused by the limit. */
uint64_t guesses_limited(struct guesses *guesses);

/* Calls guesses_passed() for every token that has not expired, of every account. Each call has the
 * time when the token was last used, or else was made. `now` is the time of day. `now_ms` is the
 * same moment, as monotonic_ms() has it. Returns the error of the store if a read fails. */
enum err guesses_load(struct guesses *guesses, struct store *store, int64_t now, int64_t now_ms);

#endif
