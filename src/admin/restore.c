/* SPDX-License-Identifier: MIT */
/* docket restore: makes a data folder from a backup, or begins a new era in a PostgreSQL database
 * that its own tools have restored. */
#include <jansson.h>

#include "admin/admin.h"
#include "backup/backup.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "place/place.h"

static bool restore_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	progress_tell(context, what, done, total);
	return true;
}

static json_t *report_json(const struct settings *settings, const struct restore_report *report)
{
	return json_pack("{ss ss sb sI sI sI so}", "from", settings->text[SETTING_FROM], "data",
			 settings->text[SETTING_DATA], "dry_run",
			 (int)settings->number[SETTING_DRY_RUN], "schema",
			 (json_int_t)report->schema, "accounts", (json_int_t)report->accounts,
			 "tasks", (json_int_t)report->tasks, "last_change_at",
			 output_time(report->last_at));
}

static void restore_print(const struct settings *settings, const struct restore_report *report)
{
	bool dry = settings->number[SETTING_DRY_RUN];
	char last[TIMESTAMP_LEN];
	json_t *object;

	if (settings->number[SETTING_JSON]) {
		object = report_json(settings, report);
		if (object)
			json_dumpf(object, settings->out, JSON_INDENT(2));
		fputc('\n', settings->out);
		json_decref(object);
		return;
	}
	fprintf(settings->err, "%s %s from %s: schema %lld, accounts: %lld, tasks: %lld",
		dry ? "would restore" : "restored", settings->text[SETTING_DATA],
		settings->text[SETTING_FROM], (long long)report->schema,
		(long long)report->accounts, (long long)report->tasks);
	if (report->last_at != TIME_NONE) {
		timestamp_write(report->last_at, last);
		fprintf(settings->err, ", the last change at %.*s", TIMESTAMP_LEN, last);
	}
	fprintf(settings->err, "\n");
	if (report->schema < store_schema())
		fprintf(settings->err,
			"the schema is older: %s brings it to schema %d with \"docket migrate\" or "
			"\"docket serve\"\n",
			dry ? "after the restore, this docket" : "this docket", store_schema());
	if (!dry)
		fprintf(settings->err, "a new era begins: clients that follow /changes get 410 and "
				       "start again\n");
}

static enum exit_status restore_folder(const struct settings *settings)
{
	struct progress progress = {0};
	const struct restore_order order = {.from = settings->text[SETTING_FROM],
					    .dry_run = settings->number[SETTING_DRY_RUN],
					    .on_progress = restore_on_progress,
					    .context = &progress};
	struct store_config config = {0};
	struct restore_report report;
	struct buf why = {0};
	enum err err;

	admin_locate(settings, &config);
	err = backup_restore(&config, &order, &report, &why);
	progress_end(&progress);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else
		restore_print(settings, &report);
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}

static enum exit_status restore_database(const struct settings *settings)
{
	struct store_config config = {0};
	struct buf why = {0};
	int64_t era;
	enum err err;

	admin_locate(settings, &config);
	err = store_begin_era(&config, &era, &why);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else
		fprintf(settings->err, "a new era begins: clients that follow /changes get 410 and "
				       "start again\n");
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
	if (settings->number[SETTING_DRY_RUN])
		return settings_wrong(settings, SETTING_DRY_RUN, "%s", own_tools);
	return restore_database(settings);
}
