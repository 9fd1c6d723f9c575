/* SPDX-License-Identifier: MIT */
/* An account as a row. */
#ifndef ACCOUNTS_ACCOUNT_ROW_H
#define ACCOUNTS_ACCOUNT_ROW_H

#include "accounts/accounts.h"
#include "store/state.h"

/* Reads a row whose columns are those of struct account, in their order. */
enum err account_from_row(const struct db_value *values, struct arena *arena,
			  struct account *account_out);

#endif
