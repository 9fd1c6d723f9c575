/* SPDX-License-Identifier: MIT */
/* docket restore: makes a data folder from a backup or a replica, or begins a new era in a
 * PostgreSQL database that its own tools have restored. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "backup/backup.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "place/place.h"

static const char era_begins[] =
	"a new era begins: clients that follow /changes get 410 and start again\n";

/* Reads --at or --change. */
static bool until_read(const struct settings *settings, struct arena *arena,
		       struct replica_until *until)
{
	const char *at = settings->text[SETTING_AT], *change = settings->text[SETTING_CHANGE];
	const char *colon = change ? strrchr(change, ':') : NULL;
	char *end = NULL;

	if (at && change) {
		settings_wrong(settings, SETTING_CHANGE, "cannot be given with --at");
		return false;
	}
	if (at) {
		until->kind = REPLICA_TIME;
		if (timestamp_parse(slice_of(at), TIME_LAST, &until->at))
			return true;
		settings_wrong(settings, SETTING_AT,
			       "must be a time such as 2027-01-31T12:00:00Z; got \"%s\"", at);
		return false;
	}
	if (!change)
		return true;
	until->kind = REPLICA_CHANGE;
	errno = 0;
	if (colon && colon > change && colon[1] >= '0' && colon[1] <= '9')
		until->change = strtoll(colon + 1, &end, 10);
	until->account =
		arena_copy(arena, (struct slice){change, colon ? (size_t)(colon - change) : 0});
	if (end && !*end && !errno && until->account)
		return true;
	settings_wrong(settings, SETTING_CHANGE,
		       "must be an account and a change number, such as main:1234; got \"%s\"",
		       change);
	return false;
}

static bool restore_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	progress_tell(context, what, done, total);
	return true;
}

/* A dry run with a replica makes no database. */
static bool report_has_counts(const struct settings *settings, const struct restore_report *report)
{
	return !settings->number[SETTING_DRY_RUN] || !report->replica.generation;
}

static json_t *replica_report_json(const struct replica_report *report)
{
	return json_pack("{sI so sI so ss? ss?}", "generation", (json_int_t)report->generation,
			 "at", output_time(report->at), "commits", (json_int_t)report->commits,
			 "gap_end", report->gap_end ? output_time(report->gap_end) : json_null(),
			 "damage", report->damage, "note", report->note);
}

static json_t *report_json(const struct settings *settings, const struct restore_report *report)
{
	bool counted = report_has_counts(settings, report);

	return json_pack(
		"{ss ss sb sI so so so so}", "from", settings->text[SETTING_FROM], "data",
		settings->text[SETTING_DATA], "dry_run", (int)settings->number[SETTING_DRY_RUN],
		"schema", (json_int_t)report->schema, "accounts",
		counted ? json_integer(report->accounts) : json_null(), "tasks",
		counted ? json_integer(report->tasks) : json_null(), "last_change_at",
		counted ? output_time(report->last_at) : json_null(), "replica",
		report->replica.generation ? replica_report_json(&report->replica) : json_null());
}

static void replica_print(const struct settings *settings, const struct restore_order *order,
			  const struct replica_report *report)
{
	char at[TIMESTAMP_LEN], gap_end[TIMESTAMP_LEN];

	timestamp_write(report->at, at);
	timestamp_write(report->gap_end, gap_end);
	fprintf(settings->err,
		"this is the state of %.*s: the full copy of generation %lld, and %lld commits "
		"after it\n",
		TIMESTAMP_LEN, at, (long long)report->generation, (long long)report->commits);
	if (order->until.kind == REPLICA_CHANGE)
		fprintf(settings->err, "the last change of the account \"%s\" in it is %lld\n",
			order->until.account, (long long)report->last_change);
	if (report->gap_end)
		fprintf(settings->err,
			"the replica has no state between %.*s and %.*s: this is the one of %.*s\n",
			TIMESTAMP_LEN, at, TIMESTAMP_LEN, gap_end, TIMESTAMP_LEN, at);
	if (report->note)
		fprintf(settings->err, "note: %s\n", report->note);
	if (report->damage)
		fprintf(settings->err,
			"the replica is damaged: %s. What comes after it was not restored\n",
			report->damage);
}

static void restore_print(const struct settings *settings, const struct restore_order *order,
			  const struct restore_report *report)
{
	bool dry = settings->number[SETTING_DRY_RUN];
	char last[TIMESTAMP_LEN];

	fprintf(settings->err, "%s %s from %s: schema %lld", dry ? "would restore" : "restored",
		settings->text[SETTING_DATA], settings->text[SETTING_FROM],
		(long long)report->schema);
	if (report_has_counts(settings, report))
		fprintf(settings->err, ", accounts: %lld, tasks: %lld", (long long)report->accounts,
			(long long)report->tasks);
	if (report_has_counts(settings, report) && report->last_at != TIME_NONE) {
		timestamp_write(report->last_at, last);
		fprintf(settings->err, ", the last change at %.*s", TIMESTAMP_LEN, last);
	}
	fprintf(settings->err, "\n");
	if (report->replica.generation)
		replica_print(settings, order, &report->replica);
	if (report->schema < store_schema())
		fprintf(settings->err,
			"the schema is older: %s brings it to schema %d with \"docket migrate\" or "
			"\"docket serve\". The history of schema %lld is verified then\n",
			dry ? "after the restore, this docket" : "this docket", store_schema(),
			(long long)report->schema);
	if (!dry)
		fputs(era_begins, settings->err);
}

static void restore_tell(const struct settings *settings, const struct restore_order *order,
			 const struct restore_report *report)
{
	json_t *object;

	if (!settings->number[SETTING_JSON]) {
		restore_print(settings, order, report);
		return;
	}
	object = report_json(settings, report);
	if (object)
		json_dumpf(object, settings->out, JSON_INDENT(2));
	fputc('\n', settings->out);
	json_decref(object);
}

static enum exit_status restore_folder(const struct settings *settings)
{
	struct progress progress = {0};
	struct arena arena = {0};
	struct restore_order order = {.from = settings->text[SETTING_FROM],
				      .dry_run = settings->number[SETTING_DRY_RUN],
				      .arena = &arena,
				      .on_progress = restore_on_progress,
				      .context = &progress};
	enum exit_status status = EXIT_USAGE;
	struct store_config config = {0};
	struct restore_report report;
	struct buf why = {0};
	enum err err;

	if (until_read(settings, &arena, &order.until)) {
		admin_locate(settings, &config);
		err = backup_restore(&config, &order, &report, &why);
		progress_end(&progress);
		if (err)
			log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
		else
			restore_tell(settings, &order, &report);
		status = err || report.replica.damage || report.replica.gap_end ? EXIT_FAILED
										: EXIT_OK;
	}
	buf_release(&why);
	arena_release(&arena);
	return status;
}

static enum exit_status restore_database(const struct settings *settings)
{
	struct store_config config = {0};
	struct buf why = {0};
	enum err err;

	admin_locate(settings, &config);
	err = store_begin_era(&config, &why);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else
		fputs(era_begins, settings->err);
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}

enum exit_status command_restore(const struct settings *settings)
{
	static const char own_tools[] =
		"is for a data folder: restore a PostgreSQL database with its own tools, and then "
		"run \"docket restore --database URL\"";

	if (!settings->text[SETTING_DATABASE] && !settings->text[SETTING_FROM])
		return settings_missing(settings, SETTING_FROM);
	if (!settings->text[SETTING_DATABASE])
		return restore_folder(settings);
	if (settings->text[SETTING_FROM])
		return settings_wrong(settings, SETTING_FROM, "%s", own_tools);
	if (settings->text[SETTING_AT] || settings->text[SETTING_CHANGE])
		return settings_wrong(settings,
				      settings->text[SETTING_AT] ? SETTING_AT : SETTING_CHANGE,
				      "%s", own_tools);
	if (settings->number[SETTING_DRY_RUN])
		return settings_wrong(settings, SETTING_DRY_RUN, "%s", own_tools);
	return restore_database(settings);
}
