/* SPDX-License-Identifier: MIT */
/* docket move: moves everything to another database. */
#include "move/move.h"

#include "base/log.h"
#include "admin/admin.h"
#include "store/store.h"

static void move_show_progress(void *context, const char *what, int64_t done, int64_t total)
{
	progress_tell(context, what, done, total);
}

static void move_print_report(const struct settings *settings, const struct move_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		fprintf(settings->out, "%-18s %lld\n", report->counts[i].shown,
			(long long)report->counts[i].rows);
	if (report->resumed)
		fprintf(settings->err, "continued after the %lld rows of an earlier run\n",
			(long long)report->resumed);
	fprintf(settings->err, "%s; every row is the same in the source and in the target\n",
		report->before ? "an earlier run had moved everything" : "moved");
}

static struct store_config move_config_of(const struct settings *settings, enum setting setting)
{
	const char *location = settings->text[setting];
	bool url = settings_is_url(location);

	return (struct store_config){
		.folder = url ? NULL : location,
		.database = url ? location : NULL,
		.network_folder = settings->number[SETTING_NETWORK_FOLDER],
		.clock = &system_clock,
	};
}

enum exit_status command_move(const struct settings *settings)
{
	struct store_config from = move_config_of(settings, SETTING_FROM);
	struct store_config to = move_config_of(settings, SETTING_TO);
	struct progress progress = {0};
	struct move_report report;
	struct arena arena = {0};
	struct buf why = {0};
	enum err err;

	to.partitions = (unsigned)settings->number[SETTING_PARTITIONS];
	if (to.partitions && to.folder)
		return settings_wrong(settings, SETTING_PARTITIONS,
				      "is for a PostgreSQL database: a folder has no partitions");
	err = store_move(&from, &to, &arena, move_show_progress, &progress, &report, &why);
	progress_end(&progress);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else
		move_print_report(settings, &report);
	buf_release(&why);
	arena_release(&arena);
	return err ? EXIT_FAILED : EXIT_OK;
}
