/* SPDX-License-Identifier: MIT */
/* Tokens that expire soon, and who was told. Several processes may serve one database: the one that
 * claims the notice of a token tells about it.
 *
 *	struct ending_token tokens[ENDING_TOKENS];
 *	size_t count;
 *	bool claimed;
 *
 *	err = store_ending_tokens(store, &arena, now, now - TOKEN_SOON_S, 0, tokens, &count);
 *	for (size_t i = 0; i < count; i++)
 *		if (!token_notice_claim(store, &tokens[i], now + 3600, &claimed) && claimed &&
 *tell()) err = token_notice_claim(store, &tokens[i], tokens[i].expires_at, &claimed); */
#ifndef ACCOUNTS_TOKEN_NOTICE_H
#define ACCOUNTS_TOKEN_NOTICE_H

#include "accounts/accounts.h"

/* A token expires soon if it does within so many seconds. */
#define TOKEN_SOON_S (7 * 24 * 60 * 60)

/* Whether the token works at this time and expires soon. */
bool token_expires_soon(const struct token *token, int64_t now);

#define ENDING_TOKENS 16

struct ending_token {
	int64_t account_id;
	struct slice account; /* its name */
	struct slice label;
	unsigned char hash[TOKEN_HASH_BYTES];
	int64_t expires_at;
	int64_t notice_at; /* as it was read; TIME_NONE: nobody has claimed the notice */
};

/* Finds tokens that expire soon and whose notice is due, the first to expire first, at most
 * ENDING_TOKENS after the first `skip`. It leaves out those that were made to live no longer than
 * TOKEN_SOON_S, and those that expired soon at the time `since` already. `since` is at least
 * now - TOKEN_SOON_S. Texts are in the arena. */
enum err store_ending_tokens(struct store *store, struct arena *arena, int64_t now, int64_t since,
			     size_t skip, struct ending_token tokens_out[ENDING_TOKENS],
			     size_t *count_out);

/* Claims the notice of a token until a time: until then nobody else can, and then it is due again.
 * If the time is expires_at, it is due no more. Sets the token's notice_at. `claimed_out` is false
 * if another process was faster, or the token has gone. */
enum err token_notice_claim(struct store *store, struct ending_token *token, int64_t until,
			    bool *claimed_out);

/* Calls on_address for each e-mail address (a struct slice) of the account's staff with full
 * access, once each. */
enum err store_account_addresses(struct store *store, int64_t account_id,
				 store_record_fn *on_address, void *context);

#endif
