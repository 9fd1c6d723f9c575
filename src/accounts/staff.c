/* SPDX-License-Identifier: MIT */
/* Finds staff members by user name. */
#include "base/text.h"
#include "accounts/accounts.h"
#include "store/state.h"

static enum err staff_find_id(struct store *store, const struct scope *scope, struct slice username,
			      struct slice key, int64_t *id_out)
{
	const struct db_value args[] = {DB_INT_VALUE(scope->account_id), DB_TEXT_VALUE(key),
					DB_TEXT_VALUE(username)};
	const struct db_call call = {"SELECT id FROM staff WHERE account_id = $1"
				     " AND username_key = $2 AND username_exact IN ('', $3)",
				     args, 3, db_number, id_out};

	return store_read_now(store, &call, 1);
}

enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out)
{
	struct arena arena = {0};
	struct slice key;
	int64_t id = ID_NONE;
	enum err err = staff_username_key(&arena, username, &key);

	if (!err)
		err = staff_find_id(store, scope, username, key, &id);
	arena_release(&arena);
	if (err == ERR_INVALID || (!err && id == ID_NONE))
		err = ERR_NOT_FOUND;
	if (!err)
		*id_out = id;
	return err;
}
