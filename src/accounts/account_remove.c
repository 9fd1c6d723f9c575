/* SPDX-License-Identifier: MIT */
/* Removes accounts. One write makes an account unreachable: it deletes the tokens, and the account
 * gets a name that begins with a hyphen, as no host name does. Then its data is deleted in parts,
 * so that writes of other accounts come in between. After a kill, this continues at the next start.
 * If several processes do it, a lock on the account's state admits one at a time. */
#include <string.h>

#include "accounts/accounts.h"
#include "sql/tables.h"
#include "store/state.h"

#define PART 2000 /* rows of a large table that the first write deletes */

/* The audit log keeps who did what, but no names of staff members and the like. The entry of the
 * removal names none. */
#define FORGET                                                               \
	"UPDATE audit SET details = NULL, salt = NULL WHERE account_id = $1" \
	" AND details IS NOT NULL AND command <> 'account remove'"

static enum err mark_decide(struct store_write *write, struct calls *calls)
{
	const int64_t id = write->scope.account_id;
	const char *name = arena_printf(write->arena, "-%lld", (long long)id);
	enum err err;

	if (!name)
		return ERR_NOMEM;
	err = calls_ask(calls, "DELETE FROM token WHERE account_id = $1", NULL, NULL,
			DB_INT_VALUE(id));
	if (!err)
		err = calls_ask(calls, FORGET, NULL, NULL, DB_INT_VALUE(id));
	return err ? err
		   : calls_ask(calls, "UPDATE account SET name = $2 WHERE id = $1", NULL, NULL,
			       DB_INT_VALUE(id), DB_TEXT_VALUE(slice_of(name)));
}

void account_remove_init(struct store_write *remove)
{
	static const struct write_steps steps = {.read = read_nothing, .decide = mark_decide};

	*remove = (struct store_write){.steps = &steps};
}

struct purge {
	struct store_write write;
	int64_t account_id;        /* the account that is being removed; ID_NONE: there is none */
	int64_t part;              /* rows of a large table that one write deletes */
	bool has_rows[SQL_TABLES]; /* whether a large table has rows of it */
};

#define FIRST "SELECT id FROM account WHERE name LIKE '-%' ORDER BY id LIMIT 1"
#define REMOVED "(" FIRST ")"

static enum err purge_read(struct store_write *write, struct calls *calls)
{
	struct purge *purge = (struct purge *)(void *)write;
	const char *first = arena_printf(write->arena,
					 "SELECT account_id FROM account_state"
					 " WHERE account_id = %s%s",
					 REMOVED, sql_dialect(write->store->driver)->lock_row);
	enum err err =
		first ? calls_add(calls, first, NULL, 0, db_number, &purge->account_id) : ERR_NOMEM;

	purge->account_id = ID_NONE;
	for (size_t i = 0; i < SQL_TABLES && !err; i++) {
		const char *any;

		purge->has_rows[i] = false;
		if (!sql_tables[i].large)
			continue;
		any = arena_printf(write->arena, "SELECT 1 FROM %s WHERE %s = %s LIMIT 1",
				   sql_tables[i].name, sql_tables[i].key[0], REMOVED);
		err = any ? calls_add(calls, any, NULL, 0, any_row, &purge->has_rows[i])
			  : ERR_NOMEM;
	}
	return err;
}

/* Deletes the first rows of a large table, after the rows that they own. */
static enum err purge_part(struct purge *purge, const struct sql_table *large, struct calls *calls)
{
	const struct text_index *index = sql_dialect(purge->write.store->driver)->text_index;
	const struct db_value args[] = {DB_INT_VALUE(purge->account_id), DB_INT_VALUE(purge->part)};
	enum err err = OK;

	if (large->indexed && index)
		err = calls_add_copy(calls, index->note_some, args, 2, NULL, NULL);
	for (size_t i = SQL_TABLES; i-- > 0 && !err;) {
		const struct sql_table *table = &sql_tables[i];
		const char *sql;

		if (table != large && !(table->parent && strcmp(table->parent, large->name) == 0))
			continue;
		sql = arena_printf(
			purge->write.arena,
			"DELETE FROM %s WHERE account_id = $1 AND %s IN"
			" (SELECT %s FROM %s WHERE account_id = $1 ORDER BY %s LIMIT $2)",
			table->name, table->key[1], large->key[1], large->name, large->key[1]);
		err = sql ? calls_add_copy(calls, sql, args, 2, NULL, NULL) : ERR_NOMEM;
	}
	return err;
}

/* Rows that refer to others are deleted before those. */
static enum err purge_decide(struct store_write *write, struct calls *calls)
{
	struct purge *purge = (struct purge *)(void *)write;
	const struct text_index *index = sql_dialect(write->store->driver)->text_index;
	enum err err = OK;

	if (purge->account_id == ID_NONE)
		return OK;
	write_note_record(write, 0, ID_NONE);
	for (size_t i = SQL_TABLES; i-- > 0;)
		if (purge->has_rows[i])
			return purge_part(purge, &sql_tables[i], calls);
	/* No title of the account may stay in the index, or wait for it. Few titles wait. */
	if (index)
		err = text_index_take_all(index, calls);
	/* A command that had begun before the account was marked may have added an entry. */
	if (!err)
		err = calls_ask(calls, FORGET, NULL, NULL, DB_INT_VALUE(purge->account_id));
	for (size_t i = SQL_TABLES; i-- > 0 && !err;) {
		const char *sql;

		if (sql_tables[i].global)
			continue;
		sql = arena_printf(write->arena, "DELETE FROM %s WHERE %s = $1", sql_tables[i].name,
				   sql_tables[i].key[0]);
		err = sql ? calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(purge->account_id))
			  : ERR_NOMEM;
	}
	return err;
}

/* One part. Reads first, because a write commits even if there is nothing to delete. */
static enum err purge_run(struct purge *purge, struct store *store)
{
	bool is_removed = false;
	const struct db_call first = {.sql = FIRST, .on_row = any_row, .context = &is_removed};
	struct arena arena = {0};
	struct faults faults;
	enum err err = store_read_now(store, &first, 1);

	purge->account_id = ID_NONE;
	if (err || !is_removed)
		return err;
	faults_init(&faults, &arena);
	purge->write.arena = &arena;
	purge->write.faults = &faults;
	err = store_write(store, &purge->write);
	arena_release(&arena);
	return err;
}

/* A part that takes too long is tried again as smaller parts. */
enum err store_purge(struct store *store, bool (*goes_on)(void *context), void *context)
{
	static const struct write_steps steps = {
		.read = purge_read, .decide = purge_decide, .makes_account = true};
	struct purge purge = {.part = PART};
	enum err err = OK;
	bool more = true;

	while (more && !err && (!goes_on || goes_on(context))) {
		purge.write = (struct store_write){.steps = &steps};
		err = purge_run(&purge, store);
		more = purge.account_id != ID_NONE;
		if (err == ERR_TIMEOUT && purge.part > 1) {
			purge.part /= 4;
			more = true;
			err = OK;
		}
	}
	return err;
}
