/* SPDX-License-Identifier: MIT */
/* Limits how many requests a token and an account may send: N in a minute, at most N at once. Each
 * has a bucket of N requests, which fills up by N requests in a minute. The buckets are in the
 * memory of the process: a restart fills them. A bucket that is full is forgotten, so there are at
 * most as many as tokens and accounts that sent requests in the last minute. Any thread may call
 * these functions.
 *
 *	struct rates *rates = rates_new(600, 0);
 *	struct rate_use use;
 *
 *	if (rates_take(rates, token_hash, account_id, monotonic_us(), &use))
 *		refuse_for(use.wait); */
#ifndef AUTH_RATES_H
#define AUTH_RATES_H

#include <stdint.h>

#include "auth/token.h"
#include "base/arena.h"

#define RATE_WINDOW_S 60

enum rate_kind {
	RATE_TOKEN,
	RATE_ACCOUNT,
	RATE_KINDS,
};

/* What a request has left of its limits. */
struct rate_use {
	unsigned wait;       /* after how many seconds to try again; 0: the request is allowed */
	enum rate_kind full; /* which limit refuses it */
	struct {
		uint32_t limit; /* 0: there is none */
		uint32_t left;  /* requests that are allowed now */
		uint32_t reset; /* seconds until the bucket is full */
	} of[RATE_KINDS];
};

struct rates;

/* `per_token` and `per_account` are requests in a minute, at most 1,000,000; 0: no limit. NULL:
 * memory has run out. */
struct rates *rates_new(uint32_t per_token, uint32_t per_account);
/* NULL is accepted. */
void rates_free(struct rates *rates);

/* Takes a request from both buckets, or from none if one of them is empty. Returns use_out->wait. A
 * bucket for which there is no memory allows the request. */
unsigned rates_take(struct rates *rates, const unsigned char token_hash[TOKEN_HASH_BYTES],
		    int64_t account_id, int64_t now_us, struct rate_use *use_out);

/* The values of the headers RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers-10), in the arena. NULL: memory has run out. */
const char *rates_policy(const struct rate_use *use, struct arena *arena);
const char *rates_left(const struct rate_use *use, struct arena *arena);

/* How many requests the limits have refused. NULL is accepted. */
uint64_t rates_refused(struct rates *rates);

#endif
