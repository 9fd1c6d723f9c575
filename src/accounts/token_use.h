/* SPDX-License-Identifier: MIT */
/* When the use of a token is stored. */
#ifndef ACCOUNTS_TOKEN_USE_H
#define ACCOUNTS_TOKEN_USE_H

#include "accounts/accounts.h"
#include "base/timefmt.h"

#define USE_SECONDS 60

/* Whether a use now has to be stored: the last one is at least a minute old. */
static inline bool token_use_is_due(const struct token *token, int64_t now)
{
	return token->last_used_at == TIME_NONE || now - token->last_used_at >= USE_SECONDS;
}

#endif
