/* SPDX-License-Identifier: MIT */
/* Checks whether the stored data is sound, rule by rule. Each rule reads one snapshot.
 *
 * The check has a connection of its own, also if another process serves the folder. It reads what
 * was committed and disturbs no writer. In the serving process, it would keep other commands
 * waiting for as long as it takes. */
#include "accounts/accounts.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "check_private.h"
#include "place/folder.h"
#include "place/folder_lock.h"
#include "place/schema.h"
#include "records/usernames.h"
#include "sql/tables.h"

enum err check_add(struct check *check, struct check_result *result,
		   const struct check_entry *entry)
{
	struct check_entry *kept;

	if (result->found++ >= CHECK_SHOWN)
		return OK;
	kept = &result->entries[result->found - 1];
	*kept = *entry;
	if (entry->record)
		kept->record = arena_copy(check->arena, slice_of(entry->record));
	if (entry->what)
		kept->what = arena_copy(check->arena, slice_of(entry->what));
	return (entry->record && !kept->record) || (entry->what && !kept->what) ? ERR_NOMEM : OK;
}

struct finding {
	struct check *check;
	struct check_result *result;
};

/* A text for the report, in which everything is UTF-8. */
static const char *finding_text(struct arena *arena, const struct db_value *value)
{
	if (value->type != DB_TEXT)
		return NULL;
	return text_is_utf8(value->bytes) ? arena_copy(arena, value->bytes) : "?";
}

static enum err finding_row(void *context, const struct db_value *values, size_t count)
{
	struct finding *finding = context;
	struct arena arena = {0};
	const struct check_entry entry = {
		.account_id = values[0].type == DB_INT ? values[0].integer : ID_NONE,
		.record = finding_text(&arena, &values[1]),
		.id = values[2].type == DB_INT ? values[2].integer : ID_NONE,
		.what = count > 3 ? finding_text(&arena, &values[3]) : NULL,
	};
	enum err err = check_add(finding->check, finding->result, &entry);

	arena_release(&arena);
	return err;
}

static enum err rule_run_sql(struct check *check, struct check_result *result, const char *sql,
			     const struct record_type *type)
{
	char first[24], last[24];
	const struct sql_marker markers[] = {
		{"table", type ? type->table : ""},
		{"record", type ? type->name : ""},
		{"sequence", type ? type->sequence : ""},
		{"first", first},
		{"last", last},
		{"ascii", "'" ASCII_CHARS "'"},
		{NULL, NULL},
	};
	struct finding finding = {check, result};
	struct buf text = {0};
	struct db_call call = {.on_row = finding_row, .context = &finding};
	enum err err;

	snprintf(first, sizeof(first), "%lld", (long long)TIME_MIN);
	snprintf(last, sizeof(last), "%lld", (long long)TIME_MAX);
	err = markers_fill(markers, sql, &text) ? OK : ERR_NOMEM;
	buf_add_char(&text, '\0');
	if (text.failed)
		err = ERR_NOMEM;
	call.sql = text.ptr;
	if (!err)
		err = check->store->driver->run(check->db, &call, 1);
	buf_release(&text);
	return err;
}

/* Damaged data ends one rule, not all rules. */
static enum err rule_keep_failure(struct check *check, struct check_result *result, enum err err)
{
	if (err != ERR_CORRUPT && err != ERR_INTERNAL && err != ERR_CONSTRAINT)
		return err;
	result->broken = arena_printf(check->arena, "%s: %s", err_text(err),
				      check->store->driver->message(check->db));
	return result->broken ? OK : ERR_NOMEM;
}

static enum err rule_run(struct check *check, struct check_result *result,
			 const struct check_row *row)
{
	const struct db_driver *driver = check->store->driver;
	enum err err = OK;

	result->name = row->name;
	result->says = row->says;
	result->note = row->note;
	if (row->run)
		err = row->run(check);
	else if (row->each_kind)
		for (size_t i = 0; i < RECORD_KINDS && !err; i++)
			err = rule_run_sql(check, result, row->sql, record_types[i]);
	else if (row->sql)
		err = rule_run_sql(check, result, row->sql, NULL);
	err = rule_keep_failure(check, result, err);
	driver->rollback(check->db);
	return err;
}

static enum err count_rows(struct check *check, struct check_report *report)
{
	enum err err = OK;

	report->counts = arena_alloc(check->arena, SQL_TABLES * sizeof(*report->counts));
	if (!report->counts)
		return ERR_NOMEM;
	for (size_t i = 0; i < SQL_TABLES && !err; i++) {
		struct check_count *count = &report->counts[report->count];
		struct db_call call = {.on_row = db_number, .context = &count->rows};

		if (!sql_tables[i].counted)
			continue;
		report->count++;
		count->table = sql_tables[i].name;
		call.sql = arena_printf(check->arena, "SELECT count(*) FROM %s", count->table);
		err = call.sql ? check->store->driver->run(check->db, &call, 1) : ERR_NOMEM;
	}
	/* The rules report a table that cannot be counted. */
	return err == ERR_CORRUPT ? OK : err;
}

static enum err check_name_row(void *context, const struct db_value *values, size_t count)
{
	struct finding *finding = context;
	struct check_entry *entries = finding->result->entries;

	(void)count;
	for (size_t i = 0; i < CHECK_SHOWN; i++)
		if (entries[i].account_id == values[0].integer)
			entries[i].account = finding_text(finding->check->arena, &values[1]);
	return OK;
}

/* Adds the accounts' names to the entries. If a name cannot be read, the report shows the account's
 * number. */
static void name_accounts(struct check *check, struct check_report *report)
{
	for (size_t i = 0; i < report->result_count; i++)
		for (size_t j = 0; j < CHECK_SHOWN; j++) {
			struct finding finding = {check, &report->results[i]};
			const struct db_value id =
				DB_INT_VALUE(report->results[i].entries[j].account_id);
			const struct db_call call = {"SELECT id, name FROM account WHERE id = $1",
						     &id, 1, check_name_row, &finding};

			if (id.integer != ID_NONE)
				(void)check->store->driver->run(check->db, &call, 1);
		}
}

static enum err run_rules(struct check *check, check_progress_fn *on_progress, void *context,
			  struct check_report *report)
{
	const struct sql_self_check *own = sql_dialect(check->store->driver)->self_checks;
	size_t own_count = 0;
	enum err err;

	while (own[own_count].name)
		own_count++;
	report->result_count = own_count + CHECK_RULES;
	report->results =
		arena_alloc(check->arena, report->result_count * sizeof(*report->results));
	if (!report->results)
		return ERR_NOMEM;
	check->results = report->results + own_count;
	err = count_rows(check, report);
	on_progress(context, 0, report->result_count);
	for (size_t i = 0; i < report->result_count && !err; i++) {
		const struct check_row of_own = {
			.name = i < own_count ? own[i].name : NULL,
			.says = i < own_count ? own[i].says : NULL,
			.sql = i < own_count ? own[i].sql : NULL,
		};

		err = rule_run(check, &report->results[i],
			       i < own_count ? &of_own : &check_rows[i - own_count]);
		on_progress(context, i + 1, report->result_count);
	}
	name_accounts(check, report);
	report->sound = true;
	for (size_t i = 0; i < report->result_count; i++)
		report->sound &= (report->results[i].note || !report->results[i].found) &&
				 !report->results[i].broken;
	return err;
}

/* Does not check while an account is being removed: what is left of it breaks rules
 * (account_remove.c). */
static enum err check_removals(struct check *check, struct buf *why)
{
	bool removed = false;
	const struct db_call call = {.sql = "SELECT id FROM account WHERE name LIKE '-%'",
				     .on_row = any_row,
				     .context = &removed};
	enum err err = check->store->driver->run(check->db, &call, 1);

	if (!err && removed) {
		buf_add_text(why,
			     "an account is being removed: check again when that is done; "
			     "if the removal was broken off, the next docket serve completes it");
		err = ERR_BUSY;
	}
	return err;
}

static enum err check_open(struct check *check, int64_t *schema_out, struct buf *why)
{
	/* A PostgreSQL database needs no lock: every rule reads a snapshot. */
	enum err err = check->store->config.folder ? folder_lock_reading(check->store, why) : OK;

	if (err == ERR_BUSY) {
		buf_clear(why);
		err = OK;
	}
	if (!err)
		err = store_open_reading(check->store, &check->db, why);
	return err ? err : store_read_schema(check->store, check->db, false, schema_out, why);
}

static enum err check_run(struct check *check, check_progress_fn *on_progress, void *context,
			  struct check_report *report, struct buf *why)
{
	enum err err = folds_version(check->db, check->unicode);

	if (!err)
		err = check_removals(check, why);
	return err ? err : run_rules(check, on_progress, context, report);
}

/* Releases the check, and hands the report over if there was no error. */
static enum err check_end(struct check *check, enum err err, const struct check_report *report,
			  struct check_report *report_out, struct buf *why)
{
	if (err && !why->len)
		buf_printf(why, "cannot read the database: %s", err_text(err));
	store_close(check->store);
	if (!err)
		*report_out = *report;
	return err;
}

/* A user who may only read a folder cannot lock it. So the check fails if the database was changed
 * meanwhile. */
static enum err check_unchanged(struct check *check, struct buf *why)
{
	if (!check->store->unchanging || check->store->lock >= 0 || !folder_changed(check->store))
		return OK;
	buf_add_text(why, "the database was changed while it was checked: check it again");
	return ERR_BUSY;
}

static enum err report_add_advice(struct check *check, struct check_report *report)
{
	const char *folder = check->store->config.folder;
	struct buf advice = {0};

	if (folder)
		folder_advise(folder, &advice);
	else
		buf_add_text(&advice,
			     "Stop docket, keep the database as it is, and restore a backup");
	report->advice = arena_copy(check->arena, buf_slice(&advice));
	buf_release(&advice);
	return report->advice ? OK : ERR_NOMEM;
}

enum err store_check(const struct store_config *config, struct arena *arena,
		     check_progress_fn *on_progress, void *context, struct check_report *report_out,
		     struct buf *why)
{
	struct check check = {.store = store_at(config), .arena = arena};
	struct check_report report = {0};
	enum err err = check.store ? check_open(&check, &report.schema, why) : ERR_NOMEM;

	if (!err)
		err = check_run(&check, on_progress, context, &report, why);
	if (!err)
		err = check_unchanged(&check, why);
	if (!err)
		err = report_add_advice(&check, &report);
	if (check.store)
		check.store->driver->close(check.db);
	return check_end(&check, err, &report, report_out, why);
}

enum err check_database(struct db *db, int64_t schema, struct arena *arena,
			check_progress_fn *on_progress, void *context,
			struct check_report *report_out, struct buf *why)
{
	const struct store_config config = {.clock = &system_clock};
	struct check check = {.store = store_at(&config), .db = db, .arena = arena};
	struct check_report report = {.schema = schema};
	enum err err =
		check.store ? check_run(&check, on_progress, context, &report, why) : ERR_NOMEM;

	return check_end(&check, err, &report, report_out, why);
}
