/* SPDX-License-Identifier: MIT */
/* Limits how often one source may guess at the tokens of an account. A token cannot be guessed, at
 * 192 random bits: this keeps the attempt from costing the database and the log more than it must.
 *
 * After GUESSES_MAX refusals of one source at one account within a minute, further requests of that
 * source at that account are not looked at until the minute is over; and so after
 * GUESSES_SOURCE_MAX of one source at all accounts together, known or not. What counts is the name
 * that was asked for: whether there is such an account, or such a user name in it, makes no
 * difference, so nothing can be learnt from it.
 *
 * An attempt that is being looked up counts as a refusal until its result is known: so the limits
 * hold for attempts at the same time as well. Attempts with the same token at the same time are
 * one.
 *
 * A token that was good before, or was there at the start, is always looked at: whoever has it is
 * not locked out by what others do behind the same address. Memory is fixed, for some 100,000
 * tokens: what was used longest ago makes room. Any thread may call. */
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

/* One attempt. It stays at its address from guesses_begin() to its end. */
struct guess {
	struct slice account; /* the name that is asked for */
	struct ip source;
	const unsigned char *token_hash; /* TOKEN_HASH_BYTES */
	int64_t now_ms;                  /* by monotonic_ms() */
	bool known;                      /* set by guesses_begin(): the token was good before */

	/* guesses.c's own. */
	bool reserved; /* it counts while it is looked up */
	uint64_t attempt;
	struct guess *next;
};

/* NULL when memory is out. */
struct guesses *guesses_new(void);
/* NULL is accepted. */
void guesses_free(struct guesses *guesses);

/* 0: the attempt may be looked up, and one of the three calls below must follow. Else it must not
 * be, and may be made again in that many seconds. */
unsigned guesses_begin(struct guesses *guesses, struct guess *guess);

/* The token was wrong. 0, or the seconds to wait where guesses at the same time have reached the
 * limit already: then this one does not count. */
unsigned guesses_refused(struct guesses *guesses, struct guess *guess);
void guesses_passed(struct guesses *guesses, struct guess *guess);
/* It could not be looked up. */
void guesses_dropped(struct guesses *guesses, struct guess *guess);

/* Takes the tokens of every account for good that have not expired, as if each had passed when it
 * was last used. `now` is the time of day, `now_ms` the same moment by monotonic_ms(). An error is
 * one of the store's. */
enum err guesses_load(struct guesses *guesses, struct store *store, int64_t now, int64_t now_ms);

#endif
