/* SPDX-License-Identifier: MIT */
/* Puts a new token in the place of another one, which works on for a while.
 *
 *	struct token_rotate rotate;
 *
 *	token_rotate_init(&rotate);
 *	rotate.label = slice_of("ci");
 *	memcpy(rotate.hash, hash, TOKEN_HASH_BYTES);
 *	rotate.overlap = 7 * 24 * 60 * 60;
 *	rotate.write.scope.account_id = account.id;
 *	err = store_write(store, &rotate.write); */
#ifndef ACCOUNTS_TOKEN_ROTATE_H
#define ACCOUNTS_TOKEN_ROTATE_H

#include "accounts/accounts.h"

/* The new token has the label, scopes, addresses and marks of the old one. The old one gets another
 * label, and expires when the overlap ends, if it does not expire before. Without an overlap it is
 * revoked, and so are those that were rotated from this label before. */
struct token_rotate {
	struct store_write write;
	struct slice label;
	unsigned char hash[TOKEN_HASH_BYTES]; /* of the new token */
	int64_t overlap;                      /* in seconds */
	/* When the new one expires. TIME_NONE: it gets as much time, from now on, as the old one
	 * had when it was made. */
	int64_t expires_at;
	struct slice before; /* how the labels begin that old tokens get; set by the write */

	/* When done. */
	bool found;    /* there was a token of that label */
	bool taken;    /* the old one's new label is taken, and nothing was stored */
	int64_t older; /* tokens that were rotated before and are revoked */
	struct token old, token;
};

void token_rotate_init(struct token_rotate *rotate);

#endif
