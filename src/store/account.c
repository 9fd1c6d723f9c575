/* SPDX-License-Identifier: MIT */
/* Accounts: to make one, to find one. */
#include "store/store_private.h"

static struct account_create *create_of(struct store_write *write)
{
	return (struct account_create *)(void *)write;
}

static enum err last_id_row(void *context, const struct db_value *values, size_t count)
{
	struct account_create *create = context;

	(void)count;
	create->last_id = values[0].type == DB_INT ? values[0].integer : 0;
	return OK;
}

static enum err name_row(void *context, const struct db_value *values, size_t count)
{
	struct account_create *create = context;

	(void)values;
	(void)count;
	create->exists = true;
	return OK;
}

static enum err account_create_read(struct store_write *write, struct calls *calls)
{
	struct account_create *create = create_of(write);
	struct db_value *args = arena_alloc(write->arena, sizeof(*args));
	enum err err;

	if (!args)
		return ERR_NOMEM;
	create->exists = false;
	args[0] = DB_TEXT_VALUE(slice_of(create->name));
	err = calls_add(calls, "SELECT max(id) FROM account", NULL, 0, last_id_row, create);
	return err ? err
		   : calls_add(calls, "SELECT id FROM account WHERE name = $1", args, 1, name_row,
			       create);
}

static enum err account_create_decide(struct store_write *write, struct calls *calls)
{
	struct account_create *create = create_of(write);
	struct db_value *args = arena_alloc(write->arena, 3 * sizeof(*args));
	enum err err;

	if (create->exists)
		return OK;
	if (!args)
		return ERR_NOMEM;
	write->scope.account_id = create->last_id + 1;
	write->last_change = 0;
	memset(write->last_id, 0, sizeof(write->last_id));
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_TEXT_VALUE(slice_of(create->name));
	args[2] = DB_INT_VALUE(write->now);
	err = calls_add(calls, "INSERT INTO account (id, name, created_at) VALUES ($1, $2, $3)",
			args, 3, NULL, NULL);
	create->staff->record.id = ID_NONE;
	if (!err)
		err = record_insert(write, RECORD_STAFF, create->staff, calls);
	return err ? err : token_insert(write, create->token_hash, create->token_label, calls);
}

enum err token_insert(struct store_write *write, const unsigned char *hash, const char *label,
		      struct calls *calls)
{
	struct db_value *args = arena_alloc(write->arena, 4 * sizeof(*args));

	if (!args)
		return ERR_NOMEM;
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_BYTES_VALUE(((struct slice){(const char *)hash, TOKEN_HASH_BYTES}));
	args[2] = DB_TEXT_VALUE(slice_of(label));
	args[3] = DB_INT_VALUE(write->now);
	return calls_add(calls,
			 "INSERT INTO token (account_id, hash, label, created_at)"
			 " VALUES ($1, $2, $3, $4)",
			 args, 4, NULL, NULL);
}

void account_create_init(struct account_create *create)
{
	static const struct write_steps steps = {account_create_read, account_create_decide, true};

	*create = (struct account_create){.write = {.steps = &steps}};
}

struct named {
	struct account account;
	struct arena *arena;
	size_t count;
};

static enum err account_row(void *context, const struct db_value *values, size_t count)
{
	struct named *named = context;
	const char *name = arena_copy(named->arena, values[1].bytes);

	(void)count;
	if (!name)
		return ERR_NOMEM;
	named->account = (struct account){values[0].integer, name};
	named->count++;
	return OK;
}

enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out)
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(name))};
	struct named named = {.arena = arena};
	const struct db_call by_name = {"SELECT id, name FROM account WHERE name = $1", args, 1,
					account_row, &named};
	const struct db_call any = {.sql = "SELECT id, name FROM account ORDER BY id LIMIT 2",
				    .on_row = account_row,
				    .context = &named};
	enum err err = store_read(store, name ? &by_name : &any, 1);

	if (err)
		return err;
	if (named.count == 1)
		*account_out = named.account;
	return named.count == 1 ? OK : named.count ? ERR_EXISTS : ERR_NOT_FOUND;
}
