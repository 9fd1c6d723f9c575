/* SPDX-License-Identifier: MIT */
/* A token as a row. */
#ifndef ACCOUNTS_TOKEN_INSERT_H
#define ACCOUNTS_TOKEN_INSERT_H

#include "accounts/accounts.h"
#include "store/state.h"

/* Adds the statement that creates an API token. */
enum err token_insert(struct store_write *write, const struct token *token, struct calls *calls);

#endif
