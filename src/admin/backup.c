/* SPDX-License-Identifier: MIT */
/* docket backup. backup_answer() runs in the process that has the folder open. The backup is made
 * on a thread of its own, so that a process that serves also answers other commands. */
#include "backup/backup.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_private.h"
#include "audit/audit.h"
#include "base/log.h"

#define LOOK_MS 50

/* Writes the path of --to as the process that serves, which has another working directory, can use
 * it. `folder_out`: it is a folder. False, with a message, if it cannot be a path. */
static bool backup_find_target(const struct settings *settings, char path[STORE_PATH_BYTES],
			       bool *folder_out)
{
	const char *to = settings->text[SETTING_TO], *slash = strrchr(to, '/');
	struct stat status;
	bool folder = stat(to, &status) == 0 && S_ISDIR(status.st_mode);
	const char *name = folder ? "" : slash ? slash + 1 : to;
	char *above = folder  ? strdup(to)
		      : slash ? strndup(to, (size_t)(slash - to + 1))
			      : strdup(".");
	char *real = above ? realpath(above, NULL) : NULL;
	int len = 0;

	if (real)
		len = snprintf(path, STORE_PATH_BYTES, "%s%s%s", real,
			       folder || strcmp(real, "/") == 0 ? "" : "/", name);
	else
		fprintf(settings->err, "docket: there is no folder %s: %s\n", above ? above : to,
			strerror(errno));
	if (len >= STORE_PATH_BYTES)
		settings_wrong(settings, SETTING_TO, "is too long");
	*folder_out = folder;
	free(above);
	free(real);
	return real && len < STORE_PATH_BYTES;
}

enum exit_status command_backup(const struct settings *settings)
{
	struct settings own = *settings;
	char path[STORE_PATH_BYTES];
	struct backup_keep keep;
	bool folder;

	if (settings->text[SETTING_DATABASE])
		return settings_wrong(settings, SETTING_DATABASE,
				      "is not backed up by docket: use PostgreSQL's own tools, "
				      "such as pg_dump");
	if (settings_is_url(settings->text[SETTING_TO]))
		return settings_wrong(settings, SETTING_TO, "must be a file or a folder");
	if (settings->text[SETTING_KEEP] && !backup_keep_parse(settings->text[SETTING_KEEP], &keep))
		return settings_wrong(settings, SETTING_KEEP,
				      "must be the numbers of days, weeks and months, such as "
				      "7,4,12, with at least one day; got \"%s\"",
				      settings->text[SETTING_KEEP]);
	if (!backup_find_target(settings, path, &folder))
		return EXIT_FAILED;
	if (settings->text[SETTING_KEEP] && !folder)
		return settings_wrong(settings, SETTING_KEEP,
				      "is for a folder of backups: --to must be one");
	own.text[SETTING_TO] = path;
	return admin_run(&own);
}

struct backup_thread {
	const struct settings *settings;
	struct store *store;
	struct backup_report report;
	struct buf why;
	enum err err;
	atomic_bool stop, ended;
	_Atomic(const char *) what;
	_Atomic int64_t done, total;
};

static bool thread_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	struct backup_thread *thread = context;

	atomic_store(&thread->what, what);
	atomic_store(&thread->done, done);
	atomic_store(&thread->total, total);
	return !atomic_load(&thread->stop);
}

static void *thread_run(void *context)
{
	struct backup_thread *thread = context;
	const char *text = thread->settings->text[SETTING_KEEP];
	struct backup_keep keep;
	const struct backup_order order = {.to = thread->settings->text[SETTING_TO],
					   .keep = text && backup_keep_parse(text, &keep) ? &keep
											  : NULL,
					   .on_progress = thread_on_progress,
					   .context = thread};

	/* Of this thread alone: Linux has a niceness for each. */
	(void)setpriority(PRIO_PROCESS, 0, BACKUP_NICENESS);
	thread->err = backup_make(thread->store, &order, &thread->report, &thread->why);
	atomic_store(&thread->ended, true);
	return NULL;
}

/* Tells how far the backup is. False: nobody wants it any more. */
static bool backup_tell(struct backup_thread *thread, struct progress *progress)
{
	const struct settings *settings = thread->settings;
	const char *what = atomic_load(&thread->what);
	int64_t done = atomic_load(&thread->done), total = atomic_load(&thread->total);

	if (!what)
		return true;
	if (settings->tell)
		return settings->tell(settings->tell_context, what, done, total);
	progress_tell(progress, what, done, total);
	return true;
}

/* Waits for the end of the thread. It is broken off if this process is ending, or if the one that
 * asked for the backup has gone. */
static void backup_wait(struct backup_thread *thread)
{
	const struct settings *settings = thread->settings;
	struct progress progress = {0};

	while (!atomic_load(&thread->ended)) {
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
		if ((settings->meanwhile && !settings->meanwhile(settings->context)) ||
		    !backup_tell(thread, &progress))
			atomic_store(&thread->stop, true);
	}
	progress_end(&progress);
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

/* A path that is not UTF-8 is left out. */
static enum err backup_describe(void *context, json_t **details_out)
{
	const struct backup_report *report = context;
	json_t *file = json_string(report->file);

	return admin_detail(file ? json_pack("{so}", "file", file) : json_object(), details_out);
}

/* Adds the entry of the audit log. The backup does not have it. */
static enum exit_status backup_tell_log(const struct settings *settings, struct store *store,
					struct backup_report *report)
{
	struct admin_deed deed = {
		.settings = settings, .describe = backup_describe, .context = report};
	struct arena arena = {0};
	struct store_write nothing;
	struct faults faults;
	enum err err;

	audit_nothing_init(&nothing);
	err = admin_write(store, &nothing, &deed, &arena, &faults);
	json_decref(deed.details);
	arena_release(&arena);
	return output_outcome(settings, err, "made the backup, but cannot write the audit log");
}

enum exit_status backup_answer(const struct settings *settings, struct store *store,
			       const unsigned char *token_hash)
{
	struct backup_thread thread = {.settings = settings, .store = store};
	enum exit_status status = EXIT_FAILED;
	pthread_t id;

	(void)token_hash;
	if (pthread_create(&id, NULL, thread_run, &thread)) {
		fprintf(settings->err, "docket: cannot make a thread\n");
		return EXIT_FAILED;
	}
	backup_wait(&thread);
	pthread_join(id, NULL);
	if (thread.err)
		fprintf(settings->err, "docket: %.*s\n", (int)thread.why.len,
			thread.why.ptr ? thread.why.ptr : err_text(thread.err));
	else
		status = backup_tell_log(settings, store, &thread.report);
	if (!thread.err)
		backup_print(settings, &thread.report);
	buf_release(&thread.why);
	return status;
}
