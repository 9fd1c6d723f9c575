/* SPDX-License-Identifier: MIT */
/* An account as a row. */
#ifndef ACCOUNTS_ACCOUNT_ROW_H
#define ACCOUNTS_ACCOUNT_ROW_H

#include "accounts/accounts.h"
#include "store/state.h"

/* The columns of an account. The statement must call the table `a`. */
#define ACCOUNT_COLUMNS \
	"a.id, a.name, a.country, a.require_case, a.expand, a.alert_minute, a.time_zone"
/* Reads a row that begins with these columns. */
enum err account_from_row(const struct db_value *values, struct arena *arena,
			  struct account *account_out);

#endif
