/* SPDX-License-Identifier: MIT */
/* Reads the audit log. */
#include "audit_private.h"
#include "store/state.h"

struct reading {
	audit_fn *on_entry;
	void *context;
};

static enum err reading_row(void *context, const struct db_value *values, size_t count)
{
	const struct reading *reading = context;
	struct audit_entry entry;

	if (count != AUDIT_COLUMNS_COUNT)
		return ERR_INTERNAL;
	audit_from_row(values, &entry);
	return reading->on_entry(reading->context, &entry);
}

enum err audit_read(struct store *store, const struct audit_filter *filter, audit_fn *on_entry,
		    void *context)
{
	static const char all[] = "SELECT " AUDIT_COLUMNS " FROM audit"
				  " WHERE at >= $1 AND at <= $2 ORDER BY number DESC LIMIT $3";
	static const char of_account[] =
		"SELECT " AUDIT_COLUMNS " FROM audit WHERE at >= $1 AND at <= $2"
		" AND (account = $4 OR account_id = (SELECT id FROM account WHERE name = $4))"
		" ORDER BY number DESC LIMIT $3";
	const struct db_value args[] = {DB_INT_VALUE(filter->since), DB_INT_VALUE(filter->until),
					DB_INT_VALUE(filter->limit),
					DB_TEXT_VALUE(filter->account)};
	struct reading reading = {on_entry, context};
	const struct db_call call = {filter->account.len ? of_account : all, args,
				     filter->account.len ? 4 : 3, reading_row, &reading};

	return store_read_now(store, &call, 1);
}
