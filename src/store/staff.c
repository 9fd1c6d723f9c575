/* SPDX-License-Identifier: MIT */
/* Staff members, by what people call them. */
#include "store/store_private.h"

static enum err id_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	*(int64_t *)context = values[0].integer;
	return OK;
}

enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out)
{
	const struct db_value args[] = {DB_INT_VALUE(scope->account_id), DB_TEXT_VALUE(username)};
	int64_t id = ID_NONE;
	const struct db_call call = {"SELECT id FROM staff WHERE account_id = $1 AND username = $2",
				     args, 2, id_row, &id};
	enum err err = store_read_now(store, &call, 1);

	if (!err && id == ID_NONE)
		err = ERR_NOT_FOUND;
	if (!err)
		*id_out = id;
	return err;
}
