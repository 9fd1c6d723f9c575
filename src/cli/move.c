/* SPDX-License-Identifier: MIT */
/* docket move: everything to another database. */
#include "store/move.h"

#include "base/log.h"
#include "cli/commands.h"
#include "cli/progress.h"

static void show_progress(void *context, const char *what, int64_t done, int64_t total)
{
	struct progress *progress = context;

	if (progress->what != what) {
		progress_end(progress);
		progress_begin(progress, what, total);
	}
	progress_show(progress, done);
}

static void print_report(const struct settings *settings, const struct move_report *report)
{
	for (size_t i = 0; i < MOVE_TABLES; i++)
		fprintf(settings->out, "%-16s %lld\n", report->counts[i].table,
			(long long)report->counts[i].rows);
	if (report->resumed)
		fprintf(settings->err, "went on behind %lld rows of an earlier run\n",
			(long long)report->resumed);
	fprintf(settings->err, "moved; every row is the same in the source and in the target\n");
}

enum exit_status command_move(const struct settings *settings)
{
	struct progress progress = {0};
	struct move_report report;
	struct buf why = {0};
	enum err err = store_move(settings->text[SETTING_FROM], settings->text[SETTING_TO],
				  &system_clock, show_progress, &progress, &report, &why);

	progress_end(&progress);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else
		print_report(settings, &report);
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
