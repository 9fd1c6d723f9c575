/* SPDX-License-Identifier: MIT */
/* The limit of creates, for bench/compare.py: a loop that inserts tasks into a data folder of
 * docket, 64 in each transaction. limit_inserts FOLDER CASES STAFF WARM-UP SECONDS prints how many
 * it inserts each second, after so many seconds that do not count.
 *
 * docket's own code lists the statements of the tasks and opens the database. So the statements,
 * the schema and the pragmas are those of a create. The list is made before the clock starts: the
 * measured time is that of BEGIN, the statements and COMMIT alone. */
#include "base/array.h"
#include "base/timefmt.h"
#include "db/db.h"
#include "model/task.h"
#include "place/place.h"
#include "records/record_change.h"
#include "sql/tallies.h"
#include "store/state.h"

#define BATCH 64
#define INDEX_EVERY 4 /* so many batches put their titles into the text index together */
#define ACCOUNT 1
#define FIRST_CASE 245
#define DAYS 365 /* tasks are due within so many days before or after today */
#define DAY 86400
#define FIRST_ID 3 /* the columns of an account's state before its last ids */

struct run {
	struct store *store;
	struct account_state account;
	uint64_t dice;
	int64_t cases, staff;
	int64_t batches;
	struct buf tallies;
};

static const char *const verbs[] = {"Call",   "Interview", "Photograph", "Review the file of",
				    "Locate", "Write to",  "Serve",      "Follow up with"};
static const char *const whom[] = {"the claimant", "a witness",  "the neighbour", "counsel",
				   "the employer", "the driver", "the landlord",  "the bank"};

static int64_t roll(struct run *run, int64_t sides)
{
	run->dice = run->dice * 6364136223846793005 + 1442695040888963407;
	return (int64_t)(run->dice >> 33) % sides;
}

static enum err account_row(void *context, const struct db_value *values, size_t count)
{
	struct account_state *account = context;

	account->id = ACCOUNT;
	account->found = count > FIRST_ID + RECORD_KINDS;
	account->last_change = values[0].integer;
	if (values[1].bytes.len == DIGEST_BYTES)
		memcpy(account->head, values[1].bytes.ptr, DIGEST_BYTES);
	account->last_at = clock_not_before(&system_clock, values[2].integer);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		account->last_id[i] = values[FIRST_ID + i].integer;
	return OK;
}

static enum err read_account(struct run *run)
{
	const struct db_value args[] = {DB_INT_VALUE(ACCOUNT)};
	const struct db_call call = {.sql = run->store->sql.read_account,
				     .args = args,
				     .arg_count = 1,
				     .on_row = account_row,
				     .context = &run->account};

	return run->store->driver->run(run->store->write_db, &call, 1);
}

/* The same kind of task as scenarios/create.lua sends. */
static enum err task_fill(struct run *run, struct arena *arena, struct task *task)
{
	const char *title = arena_printf(arena, "%s %s %d", verbs[roll(run, COUNT_OF(verbs))],
					 whom[roll(run, COUNT_OF(whom))], (int)roll(run, 10000));
	int64_t *users = arena_alloc(arena, 2 * sizeof(*users));

	if (!title || !users)
		return ERR_NOMEM;
	record_clear(&task_type, task);
	task->casefile_id = FIRST_CASE + roll(run, run->cases);
	task->calendar_id = 1;
	task->due_on = (int32_t)(clock_now(&system_clock) / DAY - DAYS + roll(run, 2 * DAYS));
	task->title = slice_of(title);
	task->body = slice_of("Ask for the signed statement and note the time of the call.");
	users[0] = 1 + roll(run, run->staff);
	users[1] = users[0] + 1;
	task->users_list.ids = users;
	task->users_list.count = users[0] < run->staff && roll(run, 2) ? 2 : 1;
	return OK;
}

/* Lists the statements of one batch. */
static enum err batch_list(struct run *run, struct arena *arena, struct calls *calls)
{
	struct account_state *account = &run->account;
	struct faults faults;
	struct store_write write = {.scope = {ACCOUNT, 1},
				    .arena = arena,
				    .faults = &faults,
				    .store = run->store,
				    .account = account,
				    .request_id = SLICE("0123456789abcdef0123456789abcdef")};
	struct db_value args[1 + FIRST_ID + RECORD_KINDS];
	enum err err = OK;

	faults_init(&faults, arena);
	account->last_at = clock_not_before(&system_clock, account->last_at);
	buf_clear(&run->tallies);
	account->tallies = &run->tallies;
	for (int i = 0; i < BATCH && !err; i++) {
		struct task *task = arena_alloc(arena, sizeof(*task));

		err = task ? task_fill(run, arena, task) : ERR_NOMEM;
		if (!err)
			err = record_insert(&write, RECORD_TASK, task, calls);
		if (!err && faults.count)
			err = ERR_INVALID;
	}
	if (!err)
		err = tallies_change(&run->tallies, calls);
	if (!err && ++run->batches % INDEX_EVERY == 0)
		err = text_index_take(sql_dialect(run->store->driver)->text_index,
				      INDEX_EVERY * BATCH, calls);
	args[0] = DB_INT_VALUE(ACCOUNT);
	args[1] = DB_INT_VALUE(account->last_change);
	args[2] = DB_BYTES_VALUE(((struct slice){(const char *)account->head, DIGEST_BYTES}));
	args[3] = DB_INT_VALUE(account->last_at);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		args[1 + FIRST_ID + i] = DB_INT_VALUE(account->last_id[i]);
	return err ? err
		   : calls_add_copy(calls, run->store->sql.update_account, args, COUNT_OF(args),
				    NULL, NULL);
}

static enum err batch_insert(struct run *run, int64_t *spent_us)
{
	const struct db_driver *driver = run->store->driver;
	struct db *db = run->store->write_db;
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	enum err err = batch_list(run, &arena, &calls);
	int64_t begun = monotonic_us();

	if (!err)
		err = driver->begin(db);
	if (!err)
		err = driver->commit(db, calls.list, calls.count);
	*spent_us += monotonic_us() - begun;
	arena_release(&arena);
	return err;
}

/* Inserts for so many seconds; tells the rate. */
static enum err insert_for(struct run *run, const char *seconds, double *rate_out)
{
	int64_t until = monotonic_ms() + 1000 * strtoll(seconds, NULL, 10);
	int64_t spent_us = 0, inserted = 0;
	enum err err = OK;

	for (; !err && monotonic_ms() < until; inserted += BATCH)
		err = batch_insert(run, &spent_us);
	*rate_out = (double)inserted / ((double)spent_us / 1e6);
	return err;
}

int main(int argc, char **argv)
{
	struct store_config config = {.clock = &system_clock, .readers = 1};
	struct run run = {0};
	struct buf why = {0};
	double rate = 0;
	enum err err;

	if (argc != 6)
		return 2;
	config.folder = argv[1];
	run.cases = strtoll(argv[2], NULL, 10);
	run.staff = strtoll(argv[3], NULL, 10);
	err = store_open(&config, &run.store, &why);
	if (!err)
		err = read_account(&run);
	if (!err && !run.account.found)
		err = ERR_NOT_FOUND;
	if (!err)
		err = insert_for(&run, argv[4], &rate);
	if (!err)
		err = insert_for(&run, argv[5], &rate);
	if (err)
		fprintf(stderr, "limit_inserts: %s %.*s\n", err_text(err), (int)why.len,
			why.ptr ? why.ptr : "");
	else
		printf("%.1f\n", rate);
	if (run.store) {
		store_stop(run.store);
		store_close(run.store);
	}
	buf_release(&run.tallies);
	buf_release(&why);
	return err ? 1 : 0;
}
