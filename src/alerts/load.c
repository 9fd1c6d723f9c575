/* SPDX-License-Identifier: MIT */
/* Loads an alert with the records that its message names. */
#include "accounts/account_row.h"
#include "alerts/alerts.h"
#include "alerts_private.h"
#include "base/timefmt.h"
#include "sql/values.h"

struct alert_read {
	struct store_read read;
	const struct alert_lease *lease;
	struct alert *alert;
	int64_t now, until; /* the end of the lease; TIME_NONE: it has ended */
};

/* A record of the alert. */
struct part {
	struct alert_read *load;
	enum record_kind kind;
	void **record_out;
};

static enum err part_row(void *context, const struct db_value *values, size_t count)
{
	struct part *part = context;
	const struct record_type *type = record_types[part->kind];
	struct arena *arena = part->load->read.arena;
	void *record = arena_alloc(arena, type->size);
	enum err err = record ? record_from_row(type, values, count, arena, record) : ERR_NOMEM;

	if (!err)
		err = record_keep(type, record, arena);
	*part->record_out = record;
	return err;
}

static enum err load_account_row(void *context, const struct db_value *values, size_t count)
{
	struct alert_read *load = context;

	(void)count;
	return account_from_row(values, load->read.arena, &load->alert->account);
}

/* Lists the read of a record by its id; or, with `field`, of the record that the task names in that
 * field. */
static enum err part_read(struct alert_read *load, enum record_kind kind, const char *field,
			  int64_t id, void *record_out, struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	const struct sql_dialect *dialect = sql_dialect(load->read.store->driver);
	struct part *part = arena_alloc(calls->arena, sizeof(*part));
	const char *from, *sql = load->read.store->sql.records[kind].select;

	if (!part)
		return ERR_NOMEM;
	*part = (struct part){load, kind, record_out};
	*part->record_out = NULL;
	if (field) {
		from = arena_printf(calls->arena,
				    " FROM %s WHERE account_id = $1 AND id = (SELECT t.%s"
				    " FROM task t WHERE t.account_id = $1 AND t.id = $2)",
				    type->table, field);
		sql = from ? record_select(dialect, type, from, calls->arena) : NULL;
	}
	return sql ? calls_ask(calls, sql, part_row, part,
			       DB_INT_VALUE(load->lease->key.account_id), DB_INT_VALUE(id))
		   : ERR_NOMEM;
}

static enum err load_read_records(struct alert_read *load, struct calls *calls)
{
	const struct alert_key *key = &load->lease->key;
	struct alert *alert = load->alert;
	const struct {
		enum record_kind kind;
		const char *field;
		int64_t id;
		void *record_out;
	} parts[] = {
		{RECORD_TASK, NULL, key->task_id, &alert->task},
		{RECORD_STAFF, NULL, key->staff_id, &alert->staff},
		{RECORD_CALENDAR, "calendar_id", key->task_id, &alert->calendar},
		{RECORD_CASEFILE, "casefile_id", key->task_id, &alert->casefile},
		{RECORD_SUBJECT, "subject_id", key->task_id, &alert->subject},
		{RECORD_CASE_SERVICE, "case_service_id", key->task_id, &alert->case_service},
	};
	enum err err = OK;

	for (size_t i = 0; i < COUNT_OF(parts) && !err; i++)
		err = part_read(load, parts[i].kind, parts[i].field, parts[i].id,
				parts[i].record_out, calls);
	return err;
}

static enum err load_append(struct store_read *read, struct calls *calls)
{
	struct alert_read *load = (struct alert_read *)(void *)read;
	const struct alert_key *key = &load->lease->key;
	const struct db_value account = DB_INT_VALUE(key->account_id);
	enum err err = ledger_ask_now(read->store, &load->now, calls);

	load->until = TIME_NONE;
	*load->alert = (struct alert){.key = *key};
	if (!err)
		err = calls_ask(calls,
				"SELECT due_at FROM alert" ALERT_IS
				" AND state = 1 AND attempts = $5",
				db_number, &load->until, account, DB_INT_VALUE(key->task_id),
				DB_INT_VALUE(key->staff_id), DB_INT_VALUE(key->alert_at),
				DB_INT_VALUE(load->lease->attempt));
	if (!err)
		err = calls_ask(calls,
				"SELECT " ACCOUNT_COLUMNS
				" FROM account a WHERE id = $1 AND name NOT LIKE '-%'",
				load_account_row, load, account);
	return err ? err : load_read_records(load, calls);
}

static enum alert_reason alert_obstacle(const struct alert *alert)
{
	if (alert->staff->access_level == STAFF_DISABLED)
		return ALERT_DISABLED;
	return alert->staff->email.len ? ALERT_NO_REASON : ALERT_NO_ADDRESS;
}

enum err alert_load(struct store *store, const struct alert_lease *lease, struct arena *arena,
		    struct alert *alert_out)
{
	struct alert alert;
	struct alert_read load = {.read = {.arena = arena,
					   .job = {.group = GROUP_RECORDS + RECORD_TASK},
					   .append = load_append},
				  .lease = lease,
				  .alert = &alert};
	enum err err = store_do(store, &load.read);

	if (err)
		return err;
	if (load.until == TIME_NONE || load.until <= load.now || alert.account.id == ID_NONE ||
	    !alert.task || !alert.staff || !alert.calendar)
		return ERR_NOT_FOUND;
	alert.reason = alert_obstacle(&alert);
	*alert_out = alert;
	return OK;
}
