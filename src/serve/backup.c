/* SPDX-License-Identifier: MIT */
/* The backup that docket serve makes each day: its settings, its thread, and its section of docket
 * status. A backup is due when the time of day of --backup-at has come since the newest one. So a
 * backup that the process missed, because it did not run, is made at its start. */
#include "backup/backup.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "serve_private.h"

#define DAY 86400
#define TICK_MS 1000    /* how often the thread looks at the clock, which somebody may set */
#define RETRY_S 3600    /* after a failure */
#define BUSY_MS 3600000 /* how long it waits for another backup, or a full copy for a replica */
#define STOP_MS 10000   /* how long a disk that hangs may take after backups_drain() */
#define STOP_LOOK_MS 5
#define ERROR_BYTES 512
#define KEEP "7,4,12"

struct backups {
	struct store *store;
	const struct settings *settings;
	char folder[STORE_PATH_BYTES];
	int32_t minute; /* of the day */
	struct backup_keep keep;
	struct notices *notices; /* NULL: there is no mail server */
	pthread_t thread;
	atomic_bool stop, done; /* `stop` is set under the lock */
	int64_t stopped_ms;     /* when `stop` was set, by monotonic_ms() */
	atomic_bool fails;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. Only the thread changes them. Times may be TIME_NONE. */
	bool running;
	bool found;         /* the folder was opened */
	int64_t counted_at; /* the next backup is the one after this time */
	int64_t retry_from; /* the time of the last failure, if no backup was made since */
	int64_t next_at;
	int64_t made_at, failed_at;
	struct backup_report last;
	char error[ERROR_BYTES];
	int64_t made, failures; /* since the start */
};

/* Whether --keep was given to this command, not in a file or environment for several. */
static bool is_keep_an_option(const struct settings *settings)
{
	const char *origin = settings->origin[SETTING_KEEP];

	return origin && strncmp(origin, "--", 2) == 0;
}

/* Whether the settings of the daily backup are given together. */
static bool are_backups_whole(const struct settings *settings)
{
	bool to = settings->text[SETTING_BACKUP_TO], at = settings->text[SETTING_BACKUP_AT];

	if (to && !at)
		settings_wrong(settings, SETTING_BACKUP_TO, "needs --backup-at as well");
	else if (at && !to)
		settings_wrong(settings, SETTING_BACKUP_AT, "needs --backup-to as well");
	else if (!to && is_keep_an_option(settings))
		settings_wrong(settings, SETTING_KEEP, "needs --backup-to as well");
	else
		return true;
	return false;
}

/* Sets where, when and how many. False, with a message, if a setting is wrong. */
static bool backups_set(const struct settings *settings, struct backups *backups)
{
	const char *to = settings->text[SETTING_BACKUP_TO], *at = settings->text[SETTING_BACKUP_AT];
	const char *keep = settings->text[SETTING_KEEP];

	if (!admin_minute(at, &backups->minute))
		settings_wrong(settings, SETTING_BACKUP_AT,
			       "must be a time of day, from 00:00 to 23:59, such as 03:00; got "
			       "\"%s\"",
			       at);
	else if (!backup_keep_parse(keep ? keep : KEEP, &backups->keep))
		settings_wrong(settings, SETTING_KEEP,
			       "must be the numbers of days, weeks and months, such as " KEEP
			       ", with at least one day; got \"%s\"",
			       keep);
	else if (strlen(to) >= sizeof(backups->folder))
		settings_wrong(settings, SETTING_BACKUP_TO, "is too long");
	else
		return snprintf(backups->folder, sizeof(backups->folder), "%s", to) >= 0;
	return false;
}

bool backup_check(const struct settings *settings)
{
	const char *unfit = settings->text[SETTING_DATABASE] ? "--database: use PostgreSQL's own "
							       "tools, such as pg_dump"
			    : settings->number[SETTING_EPHEMERAL] ? "--ephemeral"
								  : NULL;
	struct backups backups;

	if (!are_backups_whole(settings))
		return false;
	if (!settings->text[SETTING_BACKUP_TO])
		return true;
	if (!unfit)
		return backups_set(settings, &backups);
	settings_wrong(settings, SETTING_BACKUP_TO,
		       "is for a data folder and cannot be given with %s", unfit);
	return false;
}

/* Sets when the next backup is due, and returns it. Under the lock. If somebody has set the clock
 * back by more than a day, the times from before it say nothing. */
static int64_t backups_plan(struct backups *backups)
{
	int64_t now = clock_now(&system_clock), next = now;

	if (backups->retry_from > now)
		backups->retry_from = now;
	if (backups->counted_at > now + DAY)
		backups->counted_at = now;
	if (backups->counted_at != TIME_NONE)
		next = backup_time_after(NULL, backups->minute, backups->counted_at);
	if (backups->retry_from != TIME_NONE && next < backups->retry_from + RETRY_S)
		next = backups->retry_from + RETRY_S;
	return backups->next_at = next;
}

/* Sleeps. Under the lock. */
static void backups_sleep(struct backups *backups)
{
	struct timespec until = monotonic_after(TICK_MS);

	if (!atomic_load(&backups->stop))
		(void)pthread_cond_clockwait(&backups->wake, &backups->lock, CLOCK_MONOTONIC,
					     &until);
}

/* Waits until a backup is due, and sends messages meanwhile. False: the thread must end. */
static bool backups_wait(struct backups *backups)
{
	pthread_mutex_lock(&backups->lock);
	while (!atomic_load(&backups->stop) && backups_plan(backups) > clock_now(&system_clock)) {
		pthread_mutex_unlock(&backups->lock);
		notices_send(backups->notices);
		pthread_mutex_lock(&backups->lock);
		backups_sleep(backups);
	}
	pthread_mutex_unlock(&backups->lock);
	return !atomic_load(&backups->stop);
}

static bool backup_goes_on(void *context, const char *what, int64_t done, int64_t total)
{
	const struct backups *backups = context;

	(void)what;
	(void)done;
	(void)total;
	return !atomic_load(&backups->stop);
}

/* Waits before another attempt, while something else is being copied. */
static bool backups_wait_for_other(struct backups *backups, int64_t until_ms)
{
	pthread_mutex_lock(&backups->lock);
	backups_sleep(backups);
	pthread_mutex_unlock(&backups->lock);
	return !atomic_load(&backups->stop) && monotonic_ms() < until_ms;
}

static void backups_note_made(struct backups *backups, int64_t began,
			      const struct backup_report *report)
{
	struct buf text = {0};

	pthread_mutex_lock(&backups->lock);
	backups->counted_at = backups->made_at = began;
	backups->retry_from = TIME_NONE;
	backups->last = *report;
	backups->made++;
	pthread_mutex_unlock(&backups->lock);
	atomic_store(&backups->fails, false);
	log_line("made the backup %s: %lld bytes, in %lld ms; removed %lld old", report->file,
		 (long long)report->bytes, (long long)report->took_ms, (long long)report->removed);
	buf_printf(&text, "The backup works again. The newest one is %s.\n", report->file);
	buf_add_char(&text, '\0');
	notices_recover(backups->notices, text.failed ? "The backup works again.\n" : text.ptr);
	buf_release(&text);
}

static void backups_notify_failure(struct backups *backups, int64_t now, const char *next)
{
	struct buf text = {0};

	buf_printf(&text,
		   "The daily backup of %s in %s failed:\n\n%s\n\n"
		   "docket still serves, and tries again at %.*s. \"docket status\" shows whether\n"
		   "it has succeeded.\n",
		   backups->settings->text[SETTING_DATA], backups->folder, backups->error,
		   TIMESTAMP_LEN, next);
	if (backups->made_at == TIME_NONE)
		buf_add_text(&text, "There is no backup yet.\n");
	else
		buf_printf(&text, "The newest backup is %s.\n", backups->last.file);
	buf_add_char(&text, '\0');
	notices_fail(backups->notices, now, text.failed ? "The backup failed.\n" : text.ptr);
	buf_release(&text);
}

static void backups_note_failure(struct backups *backups, int64_t began, enum err err,
				 const struct buf *why)
{
	int64_t now = clock_now(&system_clock), newest;
	struct backup_report found = {0};
	char next[TIMESTAMP_LEN];

	/* If only an old backup could not be removed, the new one is there. */
	newest = backup_newest(backups->folder, now + DAY, &found);
	pthread_mutex_lock(&backups->lock);
	snprintf(backups->error, sizeof(backups->error), "%.*s", (int)why->len,
		 why->ptr ? why->ptr : err_text(err));
	backups->retry_from = backups->failed_at = now;
	backups->failures++;
	if (newest != TIME_NONE && newest >= began) {
		backups->counted_at = backups->made_at = newest;
		backups->last = found;
	}
	timestamp_write(backups_plan(backups), next);
	pthread_mutex_unlock(&backups->lock);
	atomic_store(&backups->fails, true);
	log_line("the backup failed: %s; docket tries again at %.*s", backups->error, TIMESTAMP_LEN,
		 next);
	backups_notify_failure(backups, now, next);
}

/* Opens the folder for the first time, and notes its newest backup. It runs on the thread and not
 * at the start, because docket serves even if the disk is away. */
static enum err backups_find(struct backups *backups, struct buf *why)
{
	char *real = realpath(backups->folder, NULL);
	enum err err = backup_check_folder(real ? real : backups->folder,
					   backups->settings->text[SETTING_DATA], why);
	int64_t newest;
	struct backup_report found = {0};

	if (!err && (!real || strlen(real) >= sizeof(backups->folder)))
		err = ERR_IO;
	if (!err) {
		serve_disk_check(backups->settings, "backup", real);
		newest = backup_newest(real, clock_now(&system_clock) + DAY, &found);
		pthread_mutex_lock(&backups->lock);
		snprintf(backups->folder, sizeof(backups->folder), "%s", real);
		backups->counted_at = backups->made_at = newest;
		backups->last = found;
		backups->retry_from = TIME_NONE;
		backups->found = true;
		pthread_mutex_unlock(&backups->lock);
	}
	free(real);
	return err;
}

static void backups_set_running(struct backups *backups, bool running)
{
	pthread_mutex_lock(&backups->lock);
	backups->running = running;
	pthread_mutex_unlock(&backups->lock);
}

/* Makes one backup. If docket is ending, that is no failure: the next start makes it. */
static void backups_make(struct backups *backups)
{
	const struct backup_order order = {.to = backups->folder,
					   .keep = &backups->keep,
					   .on_progress = backup_goes_on,
					   .context = backups};
	int64_t began = clock_now(&system_clock), until_ms = monotonic_ms() + BUSY_MS;
	struct backup_report report;
	struct buf why = {0};
	enum err err;

	if (!backups->found) {
		err = backups_find(backups, &why);
		if (err && !atomic_load(&backups->stop))
			backups_note_failure(backups, began, err, &why);
		buf_release(&why);
		return;
	}
	backups_set_running(backups, true);
	/* The names of two backups within a second are the same: ERR_EXISTS. */
	do {
		why.len = 0;
		err = backup_make(backups->store, &order, &report, &why);
	} while ((err == ERR_BUSY || err == ERR_EXISTS) &&
		 backups_wait_for_other(backups, until_ms));
	backups_set_running(backups, false);
	if (!err)
		backups_note_made(backups, began, &report);
	else if (!atomic_load(&backups->stop))
		backups_note_failure(backups, began, err, &why);
	buf_release(&why);
}

static void *backups_run(void *context)
{
	struct backups *backups = context;

	/* Of this thread alone: Linux has a niceness for each. */
	(void)setpriority(PRIO_PROCESS, 0, BACKUP_NICENESS);
	while (backups_wait(backups))
		backups_make(backups);
	atomic_store(&backups->done, true);
	return NULL;
}

static void backups_free(struct backups *backups)
{
	if (!backups)
		return;
	notices_free(backups->notices);
	pthread_cond_destroy(&backups->wake);
	pthread_mutex_destroy(&backups->lock);
	free(backups);
}

static struct backups *backups_new(const struct settings *settings, struct store *store)
{
	struct backups *backups = calloc(1, sizeof(*backups));

	if (!backups)
		return NULL;
	backups->store = store;
	backups->settings = settings;
	backups->counted_at = backups->made_at = TIME_NONE;
	backups->retry_from = backups->failed_at = TIME_NONE;
	pthread_mutex_init(&backups->lock, NULL);
	pthread_cond_init(&backups->wake, NULL);
	return backups;
}

enum err backups_start(const struct settings *settings, struct store *store,
		       struct backups **backups_out)
{
	struct backups *backups;
	enum err err = ERR_NOMEM;

	if (!settings->text[SETTING_BACKUP_TO])
		return OK;
	backups = backups_new(settings, store);
	if (backups && !backups_set(settings, backups))
		err = ERR_INVALID;
	else if (backups)
		err = notices_new(settings, store, &backups->notices);
	if (!err) {
		(void)backups_plan(backups);
		err = pthread_create(&backups->thread, NULL, backups_run, backups) ? ERR_NOMEM : OK;
	}
	if (err) {
		log_line("cannot start the daily backup: %s", err_text(err));
		backups_free(backups);
		return err;
	}
	*backups_out = backups;
	return OK;
}

void backups_drain(struct backups *backups)
{
	if (!backups)
		return;
	pthread_mutex_lock(&backups->lock);
	if (!atomic_exchange(&backups->stop, true))
		backups->stopped_ms = monotonic_ms();
	pthread_cond_signal(&backups->wake);
	pthread_mutex_unlock(&backups->lock);
	notices_stop(backups->notices);
}

bool backups_stop(struct backups *backups)
{
	int64_t until_ms;

	if (!backups)
		return true;
	backups_drain(backups);
	until_ms = backups->stopped_ms + STOP_MS;
	while (!atomic_load(&backups->done) && monotonic_ms() < until_ms)
		nanosleep(&(struct timespec){.tv_nsec = STOP_LOOK_MS * 1000000L}, NULL);
	if (!atomic_load(&backups->done)) {
		/* The thread is in a call of the kernel that does not end. The process is about to
		 * end, so its memory stays. */
		pthread_mutex_lock(&backups->lock);
		log_line("%s does not answer: there is no new backup",
			 backups->running ? backups->folder
					  : "the folder of backups or the mail server");
		pthread_mutex_unlock(&backups->lock);
		pthread_detach(backups->thread);
		return false;
	}
	pthread_join(backups->thread, NULL);
	backups_free(backups);
	return true;
}

const atomic_bool *backups_fail(const struct backups *backups)
{
	return backups ? &backups->fails : NULL;
}

/* A time as text; "" for none. */
static const char *time_text(int64_t at, char text[TIMESTAMP_LEN + 1])
{
	text[0] = text[TIMESTAMP_LEN] = '\0';
	if (at != TIME_NONE)
		timestamp_write(at, text);
	return text;
}

void backups_count(struct backups *backups, struct backup_counters *counters_out)
{
	pthread_mutex_lock(&backups->lock);
	*counters_out = (struct backup_counters){
		.fails = atomic_load(&backups->fails),
		.made_at = backups->made_at,
		.bytes = backups->last.bytes,
		.made = backups->made,
		.failures = backups->failures,
	};
	pthread_mutex_unlock(&backups->lock);
}

json_t *backups_json(struct backups *backups)
{
	char made[TIMESTAMP_LEN + 1], failed[TIMESTAMP_LEN + 1], next[TIMESTAMP_LEN + 1];
	const char *state = atomic_load(&backups->fails) ? "failing" : "waiting";
	json_t *section;

	pthread_mutex_lock(&backups->lock);
	section = json_pack("{ss sb ss ss ss ss sI ss ss sI sI}", "state", state, "running",
			    backups->running, "directory", backups->folder, "next",
			    time_text(backups->next_at, next), "last_success",
			    time_text(backups->made_at, made), "last_file", backups->last.file,
			    "last_size_bytes", (json_int_t)backups->last.bytes, "last_failure",
			    time_text(backups->failed_at, failed), "last_error", backups->error,
			    "made", (json_int_t)backups->made, "failures",
			    (json_int_t)backups->failures);
	/* A name of a file need not be UTF-8. */
	if (!section)
		section = json_pack("{ss sb ss ss}", "state", state, "running", backups->running,
				    "next", next, "last_success", made);
	pthread_mutex_unlock(&backups->lock);
	return section;
}
