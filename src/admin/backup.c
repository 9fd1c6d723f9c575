/* SPDX-License-Identifier: MIT */
/* docket backup. The process that has the folder open makes a copy, and answers other commands
 * meanwhile: backup_answer() runs there. The process of the command writes the copy where the
 * backup goes. */
#include "backup/backup.h"

#include <jansson.h>
#include <signal.h>
#include <unistd.h>

#include "admin_private.h"
#include "audit/audit.h"
#include "base/log.h"

/* The command in the process that was started: it has the copy made, and writes the backup. */
struct backup_command {
	struct settings settings;
	struct progress progress;
	enum exit_status status; /* of the copy */
	int fd;                  /* of the copy; -1: there is none */
};

static volatile sig_atomic_t interrupted;

static void command_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* From here on an interrupted command removes what it has begun. */
static void command_catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = command_interrupt, .sa_flags = SA_RESTART};

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

static void command_take_file(void *context, int fd)
{
	struct backup_command *command = context;

	command->fd = fd;
}

/* A backup_source_fn. What goes wrong is printed already. */
static enum err command_copy(void *context, int *fd_out)
{
	struct backup_command *command = context;

	command->status = admin_run(&command->settings);
	progress_end(&command->progress);
	if (command->status == EXIT_OK && command->fd < 0) {
		fprintf(command->settings.err,
			"docket: the process that serves the folder handed over no copy\n");
		command->status = EXIT_FAILED;
	}
	if (command->status != EXIT_OK)
		return ERR_IO;
	command_catch_signals();
	*fd_out = command->fd;
	return OK;
}

static bool command_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	struct backup_command *command = context;

	progress_tell(&command->progress, what, done, total);
	return !interrupted;
}

static void backup_print(const struct settings *settings, const struct backup_report *report)
{
	json_t *object;

	if (!settings->number[SETTING_JSON]) {
		fprintf(settings->err, "made the backup %s: %lld bytes, in %lld ms\n", report->file,
			(long long)report->bytes, (long long)report->took_ms);
		if (report->removed)
			fprintf(settings->err, "removed %lld old backup%s\n",
				(long long)report->removed, report->removed == 1 ? "" : "s");
		return;
	}
	object = json_pack("{ss sI sI sI}", "file", report->file, "bytes",
			   (json_int_t)report->bytes, "took_ms", (json_int_t)report->took_ms,
			   "removed", (json_int_t)report->removed);
	if (object)
		json_dumpf(object, settings->out, JSON_INDENT(2));
	fputc('\n', settings->out);
	json_decref(object);
}

static enum exit_status command_run(const struct settings *settings, const char *path,
				    const struct backup_keep *keep)
{
	struct backup_command command = {.settings = *settings, .fd = -1};
	const struct backup_order order = {
		.to = path, .keep = keep, .on_progress = command_on_progress, .context = &command};
	struct backup_report report;
	struct buf why = {0};
	enum err err;

	command.settings.take_file = command_take_file;
	command.settings.take_context = &command;
	err = backup_fetch(settings->text[SETTING_DATA], &order, command_copy, &command, &report,
			   &why);
	progress_end(&command.progress);
	if (!err)
		backup_print(settings, &report);
	else if (command.status == EXIT_OK)
		fprintf(settings->err, "docket: %.*s\n", (int)why.len,
			why.ptr ? why.ptr : err_text(err));
	buf_release(&why);
	return command.status != EXIT_OK ? command.status : err ? EXIT_FAILED : EXIT_OK;
}

enum exit_status command_backup(const struct settings *settings)
{
	const char *kept = settings->text[SETTING_KEEP];
	char path[STORE_PATH_BYTES];
	struct backup_keep keep;
	struct buf why = {0};
	bool folder;

	if (settings->text[SETTING_DATABASE])
		return settings_wrong(settings, SETTING_DATABASE,
				      "is not backed up by docket: use PostgreSQL's own tools, "
				      "such as pg_dump");
	if (settings_is_url(settings->text[SETTING_TO]))
		return settings_wrong(settings, SETTING_TO, "must be a file or a folder");
	if (kept && !backup_keep_parse(kept, &keep))
		return settings_wrong(settings, SETTING_KEEP,
				      "must be the numbers of days, weeks and months, such as "
				      "7,4,12, with at least one day; got \"%s\"",
				      kept);
	if (backup_find_target(settings->text[SETTING_TO], path, &folder, &why)) {
		fprintf(settings->err, "docket: %.*s\n", (int)why.len, why.ptr ? why.ptr : "");
		buf_release(&why);
		return EXIT_FAILED;
	}
	if (kept && !folder)
		return settings_wrong(settings, SETTING_KEEP,
				      "is for a folder of backups: --to must be one");
	return command_run(settings, path, kept ? &keep : NULL);
}

struct copying {
	const struct settings *settings;
	struct progress progress;
};

/* False: this process is interrupted or ending, or the one that asked for the backup has gone. */
static bool copying_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	struct copying *copying = context;
	const struct settings *settings = copying->settings;

	if (interrupted || (settings->meanwhile && !settings->meanwhile(settings->context)))
		return false;
	if (!total) /* it has not begun */
		return true;
	if (settings->tell)
		return settings->tell(settings->tell_context, what, done, total);
	progress_tell(&copying->progress, what, done, total);
	return true;
}

/* Adds the entry of the audit log. The copy does not have it. A good copy is handed over even if
 * the entry cannot be stored: it may be the last one that can be made. */
static void backup_tell_log(const struct settings *settings, struct store *store)
{
	struct admin_deed deed = {.settings = settings};
	struct arena arena = {0};
	struct store_write nothing;
	struct faults faults;
	enum err err;

	audit_nothing_init(&nothing);
	err = admin_write(store, &nothing, &deed, &arena, &faults);
	json_decref(deed.details);
	arena_release(&arena);
	if (err)
		fprintf(settings->err, "docket: the audit log has no entry of this backup: %s\n",
			err_text(err));
}

enum exit_status backup_answer(const struct settings *settings, struct store *store,
			       const unsigned char *token_hash)
{
	struct copying copying = {.settings = settings};
	struct buf why = {0};
	enum err err;
	int fd;

	(void)token_hash;
	/* The commands of older versions leave it to this process to write the file. */
	if (settings->serving && settings->text[SETTING_TO]) {
		fprintf(settings->err, "docket: the process that serves the folder has another "
				       "version: use the docket of that version, or restart it\n");
		return EXIT_USAGE;
	}
	if (!settings->serving)
		command_catch_signals();
	err = backup_copy(store, copying_on_progress, &copying, &fd, &why);
	progress_end(&copying.progress);
	if (err) {
		fprintf(settings->err, "docket: %.*s\n", (int)why.len,
			why.ptr ? why.ptr : err_text(err));
	} else {
		backup_tell_log(settings, store);
		settings->take_file(settings->take_context, fd);
	}
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
