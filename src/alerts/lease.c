/* SPDX-License-Identifier: MIT */
/* Leases rows of the ledger that are due.
 *
 * A lease is a write of its own that takes no account's lock. On PostgreSQL it skips the rows that
 * another session has locked, so it waits for nobody: not for another process that leases, and not
 * for a change of a task. */
#include "alerts/alerts.h"

#include "alerts_private.h"
#include "base/timefmt.h"
#include "json/write.h"

#define ENDED_MOST 256 /* rows that one lease ends without another attempt */

struct lease_rows {
	struct alert_row *list;
	size_t count, most;
	struct arena *arena;
};

struct lease_write {
	struct store_write write;
	const struct alerts_want *want;
	struct lease_rows ended, due;
	/* Of the ledger's clock. Rows that were due at `ends` end. Those that are due since then,
	 * until `until`, are leased. */
	int64_t now, ends, until;
	int64_t next_due; /* TIME_NONE: no other row waits */

	struct alerts_leased leased;
};

static struct lease_write *lease_of(struct store_write *write)
{
	return (struct lease_write *)(void *)write;
}

static bool lease_rows_init(struct lease_rows *rows, struct arena *arena, size_t most)
{
	*rows = (struct lease_rows){.most = most, .arena = arena};
	rows->list = arena_alloc(arena, most * sizeof(*rows->list));
	return rows->list;
}

static enum err lease_row(void *context, const struct db_value *values, size_t count)
{
	struct lease_rows *rows = context;

	(void)count;
	if (rows->count == rows->most)
		return ERR_INTERNAL;
	return alert_from_row(values, rows->arena, &rows->list[rows->count++]);
}

static void put_ids(struct buf *text, const int64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_put_int(text, ids[i]);
}

/* The ids of the accounts to leave alone, as a JSON array. */
static struct slice lease_except(const struct lease_write *lease)
{
	const struct alerts_want *want = lease->want;
	struct buf text = {0};
	const char *copy;

	json_open_array(&text);
	put_ids(&text, want->except, want->except_count);
	if (want->turns)
		put_ids(&text, (const int64_t *)(const void *)want->turns->served.ptr,
			want->turns->served.len / sizeof(int64_t));
	json_close_array(&text);
	copy = text.failed ? NULL : arena_copy(lease->write.arena, buf_slice(&text));
	buf_release(&text);
	return copy ? slice_of(copy) : (struct slice){NULL, 0};
}

/* Rows of other accounts than $2. An account that is being removed has a name that begins with a
 * hyphen (account_remove.c), and its messages are not sent either. `when` compares due_at. */
static const char *lease_sql(struct lease_write *lease, const char *columns, const char *when,
			     const char *end)
{
	const struct sql_dialect *dialect = sql_dialect(lease->write.store->driver);
	struct buf among = {0};
	const char *sql;

	put_into(dialect->among, "$2", &among);
	buf_add_char(&among, '\0');
	sql = among.failed
		      ? NULL
		      : arena_printf(lease->write.arena,
				     "SELECT %s FROM alert WHERE due_at %s AND account_id NOT IN %s"
				     " AND account_id NOT IN (SELECT id FROM account"
				     " WHERE name >= '-' AND name < '.') ORDER BY due_at LIMIT %s",
				     columns, when, among.ptr, end);
	buf_release(&among);
	return sql;
}

static enum err lease_read(struct store_write *write, struct calls *calls)
{
	struct lease_write *lease = lease_of(write);

	lease->next_due = TIME_NONE;
	lease->leased = (struct alerts_leased){0};
	if (!lease_rows_init(&lease->ended, write->arena, ENDED_MOST) ||
	    !lease_rows_init(&lease->due, write->arena, lease->want->most))
		return ERR_NOMEM;
	return ledger_ask_now(write->store, &lease->now, calls);
}

/* A row that is due ends after a day. In a folder without a mail server it ends at once. On
 * PostgreSQL another process may have a mail server, even if that is away now. */
static void lease_set_times(struct lease_write *lease)
{
	bool mail = lease->want->mail, alone = lease->write.store->config.folder;

	lease->ends = mail || !alone ? lease->now - ALERT_GIVEN_UP_S : lease->now;
	lease->until = mail ? lease->now : lease->ends;
}

/* Rows to end, rows that are due, and the time when the next one is. The first have a statement of
 * their own, so that very many of them do not hold up the others. */
static enum err lease_read_more(struct store_write *write, struct calls *calls)
{
	struct lease_write *lease = lease_of(write);
	const char *lock = sql_dialect(write->store->driver)->skip_locked;
	const char *end = arena_printf(write->arena, "$3%s", lock);
	const char *ended = end ? lease_sql(lease, ALERT_COLUMNS, "<= $1", end) : NULL;
	const char *due =
		end ? lease_sql(lease, ALERT_COLUMNS, "> $1 AND due_at <= $4", end) : NULL;
	const char *next = lease_sql(lease, "due_at", "> $1", "1");
	const struct slice except = lease_except(lease);
	const struct db_value text = DB_TEXT_VALUE(except);
	enum err err = ended && due && next && except.ptr ? OK : ERR_NOMEM;

	lease_set_times(lease);
	if (!err)
		err = calls_ask(calls, ended, lease_row, &lease->ended, DB_INT_VALUE(lease->ends),
				text, DB_INT_VALUE((int64_t)lease->ended.most));
	if (!err)
		err = calls_ask(calls, due, lease_row, &lease->due, DB_INT_VALUE(lease->ends), text,
				DB_INT_VALUE((int64_t)lease->due.most), DB_INT_VALUE(lease->until));
	return err ? err
		   : calls_ask(calls, next, db_number, &lease->next_due, DB_INT_VALUE(lease->until),
			       text);
}

static void lease_end(struct lease_write *lease, struct alert_row *row)
{
	bool late = row->key.alert_at <= lease->now - ALERT_GIVEN_UP_S;
	bool tried = late && row->attempts;

	row->state = tried ? ALERT_FAILED : ALERT_SKIPPED;
	row->reason = tried ? ALERT_GIVEN_UP : late ? ALERT_TOO_LATE : ALERT_NO_MAIL;
	row->due_at = TIME_NONE;
	row->ended_at = lease->now;
	if (tried)
		lease->leased.given_up++;
	else
		lease->leased.skipped++;
}

static void lease_begin(struct lease_write *lease, struct alert_row *row)
{
	struct alerts_leased *leased = &lease->leased;

	row->state = ALERT_LEASED;
	row->reason = ALERT_NO_REASON;
	row->attempts++;
	row->due_at = lease->now + lease->want->seconds;
	leased->list[leased->count++] = (struct alert_lease){row->key, row->attempts};
}

static void lease_set_wait(struct lease_write *lease)
{
	struct alerts_leased *leased = &lease->leased;
	int64_t next = lease->next_due == TIME_NONE ? TIME_MAX : lease->next_due - lease->until;
	bool more = lease->ended.count == lease->ended.most || lease->due.count == lease->due.most;

	if (leased->count && lease->want->seconds < next)
		next = lease->want->seconds;
	leased->now = lease->now;
	leased->wait_s = more ? 0 : next == TIME_MAX ? -1 : next;
}

static enum err lease_decide(struct store_write *write, struct calls *calls)
{
	struct lease_write *lease = lease_of(write);
	const struct lease_rows *due = &lease->due, *ended = &lease->ended;
	enum err err = OK;

	lease->leased.list = arena_alloc(write->arena, due->most * sizeof(*lease->leased.list));
	if (!lease->leased.list)
		return ERR_NOMEM;
	for (size_t i = 0; i < ended->count && !err; i++) {
		lease_end(lease, &ended->list[i]);
		err = alert_write_row(&ended->list[i], calls);
	}
	for (size_t i = 0; i < due->count && !err; i++) {
		struct alert_row *row = &due->list[i];

		if (row->key.alert_at <= lease->now - ALERT_GIVEN_UP_S)
			lease_end(lease, row); /* it was due later than its alert time */
		else
			lease_begin(lease, row);
		err = alert_write_row(row, calls);
	}
	lease_set_wait(lease);
	return err;
}

/* The accounts of a full lease have had their turn: the next lease is for others. If that is not
 * full, all have had theirs. To look for others, the database steps over every row of these that is
 * due. So a round begins at most once a second. */
static void lease_take_turns(const struct lease_rows *due, struct alerts_turns *turns,
			     struct alerts_leased *leased)
{
	if (due->count < due->most && turns->served.len) {
		buf_clear(&turns->served);
		turns->round_at = leased->now;
		leased->wait_s = 0;
	}
	if (due->count < due->most || leased->now == turns->round_at)
		return;
	for (size_t i = 0; i < due->count; i++)
		buf_add(&turns->served, &due->list[i].key.account_id, sizeof(int64_t));
}

enum err alerts_lease(struct store *store, const struct alerts_want *want, struct arena *arena,
		      struct alerts_leased *leased_out)
{
	static const struct write_steps steps = {.read = lease_read,
						 .read_more = lease_read_more,
						 .decide = lease_decide,
						 .makes_account = true};
	struct faults faults;
	struct lease_write lease = {
		.write = {.job = {.group = GROUP_RECORDS + RECORD_TASK, .alone = true},
			  .arena = arena,
			  .faults = &faults,
			  .steps = &steps},
		.want = want};
	enum err err;

	faults_init(&faults, arena);
	err = store_write(store, &lease.write);
	if (!err && want->turns)
		lease_take_turns(&lease.due, want->turns, &lease.leased);
	if (!err)
		*leased_out = lease.leased;
	return err;
}

static enum err recover_decide(struct store_write *write, struct calls *calls)
{
	return calls_ask(
		calls,
		"UPDATE alert SET state = 0, due_at ="
		" CASE WHEN alert_at > $1 THEN alert_at ELSE $1 END"
		" WHERE due_at IS NOT NULL AND (state = 1 OR (due_at > $2 AND alert_at <= $1))",
		NULL, NULL, DB_INT_VALUE(write->now),
		DB_INT_VALUE(write->now + ALERT_RETRY_MOST_S));
}

enum err alerts_recover(struct store *store)
{
	static const struct write_steps steps = {
		.read = read_nothing, .decide = recover_decide, .makes_account = true};
	struct arena arena = {0};
	struct faults faults;
	struct store_write recover = {.arena = &arena, .faults = &faults, .steps = &steps};
	enum err err;

	if (!store->config.folder)
		return OK;
	faults_init(&faults, &arena);
	err = store_write(store, &recover);
	arena_release(&arena);
	return err;
}

void alerts_on_due(struct store *store, void (*on_due)(void *context, int64_t at), void *context)
{
	store->due_context = context;
	atomic_store(&store->on_due, on_due);
}
