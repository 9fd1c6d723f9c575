/* SPDX-License-Identifier: MIT */
/* Removes accounts. One write puts an account out of reach: its tokens are gone, and its name
 * begins with a hyphen, as no host name does. Then what it has is deleted a part at a time, so that
 * the writes of other accounts come in between; after a kill that goes on with the next start.
 * Where several processes are at it, the account's row lets one at a time. */
#include "accounts/accounts.h"
#include "store/state.h"

#define PART 2000 /* tasks, or rows of the history, in one write */

static enum err mark_decide(struct store_write *write, struct calls *calls)
{
	const int64_t id = write->scope.account_id;
	const char *name = arena_printf(write->arena, "-%lld", (long long)id);
	enum err err;

	if (!name)
		return ERR_NOMEM;
	err = calls_ask(calls, "DELETE FROM token WHERE account_id = $1", NULL, NULL,
			DB_INT_VALUE(id));
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
	int64_t account_id; /* that is being removed; ID_NONE: none is */
	int64_t tasks, changes;
};

#define FIRST "SELECT id FROM account WHERE name LIKE '-%' ORDER BY id LIMIT 1"
#define REMOVED "(" FIRST ")"

static enum err purge_read(struct store_write *write, struct calls *calls)
{
	struct purge *purge = (struct purge *)(void *)write;
	const char *first = arena_printf(write->arena, "%s%s", FIRST,
					 sql_dialect(write->store->driver)->lock_row);
	enum err err =
		first ? calls_add(calls, first, NULL, 0, db_number, &purge->account_id) : ERR_NOMEM;

	purge->account_id = ID_NONE;
	if (!err)
		err = calls_add(
			calls,
			"SELECT count(*) FROM (SELECT 1 FROM task WHERE account_id = " REMOVED
			" LIMIT 1) q",
			NULL, 0, db_number, &purge->tasks);
	return err ? err
		   : calls_add(
			     calls,
			     "SELECT count(*) FROM (SELECT 1 FROM history WHERE account_id = " REMOVED
			     " LIMIT 1) q",
			     NULL, 0, db_number, &purge->changes);
}

/* $1 account, $2 how many. Those that name others come before the ones they name. */
#define TASKS "(SELECT id FROM task WHERE account_id = $1 ORDER BY id LIMIT $2)"
static const char *const some_tasks[] = {
	"DELETE FROM task_user WHERE account_id = $1 AND task_id IN " TASKS,
	"DELETE FROM task WHERE account_id = $1 AND id IN " TASKS,
	NULL,
};

static const char *const some_changes[] = {
	"DELETE FROM history WHERE account_id = $1 AND change IN"
	" (SELECT change FROM history WHERE account_id = $1 ORDER BY change LIMIT $2)",
	NULL,
};

/* $1 account. */
static const char *const the_rest[] = {
	"DELETE FROM subject WHERE account_id = $1",
	"DELETE FROM casefile_service WHERE account_id = $1",
	"DELETE FROM casefile WHERE account_id = $1",
	"DELETE FROM case_service WHERE account_id = $1",
	"DELETE FROM calendar WHERE account_id = $1",
	"DELETE FROM staff WHERE account_id = $1",
	"DELETE FROM token WHERE account_id = $1",
	"DELETE FROM idempotency WHERE account_id = $1",
	"DELETE FROM account WHERE id = $1",
	NULL,
};

static enum err purge_decide(struct store_write *write, struct calls *calls)
{
	const struct purge *purge = (struct purge *)(void *)write;
	const struct text_index *index = sql_dialect(write->store->driver)->text_index;
	const struct db_value args[] = {DB_INT_VALUE(purge->account_id), DB_INT_VALUE(PART)};
	const char *const *list = purge->tasks     ? some_tasks
				  : purge->changes ? some_changes
						   : the_rest;
	enum err err = OK;

	if (purge->account_id == ID_NONE)
		return OK;
	if (purge->tasks && index)
		err = calls_add_copy(calls, index->remove_some, args, 2, NULL, NULL);
	for (; *list && !err; list++)
		err = calls_add_copy(calls, *list, args, purge->tasks || purge->changes ? 2 : 1,
				     NULL, NULL);
	return err;
}

enum err store_purge(struct store *store, bool *more_out)
{
	static const struct write_steps steps = {
		.read = purge_read, .decide = purge_decide, .makes_account = true};
	struct arena arena = {0};
	struct faults faults;
	struct purge purge = {.write = {.arena = &arena, .faults = &faults, .steps = &steps}};
	enum err err;

	faults_init(&faults, &arena);
	err = store_write(store, &purge.write);
	arena_release(&arena);
	if (!err)
		*more_out = purge.account_id != ID_NONE;
	return err;
}
