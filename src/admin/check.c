/* SPDX-License-Identifier: MIT */
/* docket check: reports whether the stored data is sound. */
#include "check/check.h"

#include <jansson.h>

#include "base/log.h"
#include "admin_private.h"

static void check_show_progress(void *context, size_t done, size_t rules)
{
	struct progress *progress = context;

	if (!progress->total)
		progress_begin(progress, "rules", (int64_t)rules);
	progress_show(progress, (int64_t)done);
}

static size_t entries_shown(const struct check_result *result)
{
	return result->found < CHECK_SHOWN ? (size_t)result->found : CHECK_SHOWN;
}

static void check_print_entry(FILE *out, const struct check_entry *entry)
{
	fprintf(out, "   ");
	if (entry->account)
		fprintf(out, " account %s", entry->account);
	else if (entry->account_id)
		fprintf(out, " account number %lld", (long long)entry->account_id);
	if (entry->record)
		fprintf(out, "%s %s", entry->account_id ? "," : "", entry->record);
	if (entry->record && entry->id)
		fprintf(out, " %lld", (long long)entry->id);
	if (entry->what)
		fprintf(out, "%s %s", entry->record ? ":" : "", entry->what);
	fprintf(out, "\n");
}

static void check_print_text(FILE *out, const struct check_report *report)
{
	for (size_t i = 0; i < report->result_count; i++) {
		const struct check_result *result = &report->results[i];

		if (!result->found && !result->broken)
			continue;
		fprintf(out, "%s: %s %s\n", result->name,
			result->note && !result->broken ? "note that" : "BROKEN; the rule:",
			result->says);
		for (size_t j = 0; j < entries_shown(result); j++)
			check_print_entry(out, &result->entries[j]);
		if (result->found > CHECK_SHOWN)
			fprintf(out, "    and %lld more\n", (long long)result->found - CHECK_SHOWN);
		if (result->broken)
			fprintf(out, "    could not be read to the end: %s\n", result->broken);
	}
	fprintf(out, "checked schema %lld by %zu rules:", (long long)report->schema,
		report->result_count);
	for (size_t i = 0; i < report->count; i++)
		fprintf(out, "%s %s %lld", i ? "," : "", report->counts[i].table,
			(long long)report->counts[i].rows);
	fprintf(out, "\n%s\n", report->sound ? "sound" : "not sound");
}

/* A text that is NULL in the report is null in JSON. */
static json_t *text_or_null_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *entries_json(const struct check_result *result)
{
	json_t *entries = json_array();

	for (size_t i = 0; i < entries_shown(result); i++) {
		const struct check_entry *entry = &result->entries[i];

		json_array_append_new(entries,
				      json_pack("{so so so so}", "account",
						text_or_null_json(entry->account), "record",
						text_or_null_json(entry->record), "id",
						entry->id ? json_integer(entry->id) : json_null(),
						"what", text_or_null_json(entry->what)));
	}
	return entries;
}

static bool check_print_json(FILE *out, const struct check_report *report)
{
	json_t *counts = json_object(), *faults = json_array(), *notes = json_array(), *all;
	bool printed;

	for (size_t i = 0; i < report->count; i++)
		json_object_set_new(counts, report->counts[i].table,
				    json_integer(report->counts[i].rows));
	for (size_t i = 0; i < report->result_count; i++) {
		const struct check_result *result = &report->results[i];

		if (result->found || result->broken)
			json_array_append_new(result->note && !result->broken ? notes : faults,
					      json_pack("{ss ss sI so so}", "rule", result->name,
							"says", result->says, "found",
							(json_int_t)result->found, "entries",
							entries_json(result), "broken",
							text_or_null_json(result->broken)));
	}
	all = json_pack("{sb sI si so so so}", "sound", report->sound, "schema",
			(json_int_t)report->schema, "rules", (int)report->result_count, "looked_at",
			counts, "faults", faults, "notes", notes);
	printed = all && json_dumpf(all, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
	json_decref(all);
	return printed;
}

enum exit_status command_check(const struct settings *settings)
{
	struct progress progress = {0};
	struct check_report report;
	struct arena arena = {0};
	struct buf why = {0};
	enum exit_status status = EXIT_FAILED;
	struct store_config config = {0};
	enum err err;

	admin_locate(settings, &config);
	err = store_check(&config, &arena, check_show_progress, &progress, &report, &why);

	progress_end(&progress);
	if (err) {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	} else {
		status = report.sound ? EXIT_OK : EXIT_FAILED;
		if (!settings->number[SETTING_JSON])
			check_print_text(settings->out, &report);
		else if (!check_print_json(settings->out, &report))
			status = EXIT_FAILED;
		if (!report.sound)
			fprintf(settings->err, "%s\n", report.advice);
	}
	buf_release(&why);
	arena_release(&arena);
	return status;
}
