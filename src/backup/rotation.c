/* SPDX-License-Identifier: MIT */
/* A folder of backups: the names of their files, and which of them are kept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include "base/timefmt.h"
#include "rotation.h"

#define DAY 86400
#define NAME_FRONT "docket-"
#define NAME_BACK ".db"
#define NAME_TIME 16 /* the length of 20270131T030000Z */

/* 2027-01-31T03:00:00Z and 20270131T030000Z */
void backup_name(int64_t at, char name[BACKUP_NAME_BYTES])
{
	char text[TIMESTAMP_LEN];

	timestamp_write(at, text);
	snprintf(name, BACKUP_NAME_BYTES, NAME_FRONT "%.4s%.2s%.2sT%.2s%.2s%.2sZ" NAME_BACK, text,
		 text + 5, text + 8, text + 11, text + 14, text + 17);
}

bool backup_name_time(const char *name, int64_t *at_out)
{
	const char *time = name + strlen(NAME_FRONT);
	char text[TIMESTAMP_LEN + 1], again[BACKUP_NAME_BYTES];
	int64_t at;

	if (strncmp(name, NAME_FRONT, strlen(NAME_FRONT)) != 0 ||
	    strlen(time) != NAME_TIME + strlen(NAME_BACK))
		return false;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", time, time + 4, time + 6,
		 time + 9, time + 11, time + 13);
	if (!timestamp_parse(slice_of(text), TIME_FIRST, &at))
		return false;
	backup_name(at, again);
	if (strcmp(name, again) != 0)
		return false;
	*at_out = at;
	return true;
}

/* The number of the day, of the week (from Monday, as in ISO 8601) or of the month, in UTC. */
static int64_t period_of(int64_t at, size_t rule)
{
	int64_t day = at / DAY;
	char text[TIMESTAMP_LEN];

	if (rule == KEEP_DAYS)
		return day;
	if (rule == KEEP_WEEKS)
		return (day + 3) / 7; /* 1970-01-01 was a Thursday */
	timestamp_write(at, text);
	return strtol(text, NULL, 10) * 12 + strtol(text + 5, NULL, 10);
}

void rotation_choose(const int64_t *times, size_t count, const struct backup_keep *keep, bool *kept)
{
	for (size_t i = 0; i < count; i++)
		kept[i] = false;
	for (size_t rule = 0; rule < KEEP_RULES; rule++) {
		int64_t left = keep->most[rule], last = -1;

		for (size_t i = 0; i < count && left; i++) {
			int64_t period = period_of(times[i], rule);

			if (period != last && !kept[i]) {
				kept[i] = true;
				left--;
			}
			last = period;
		}
	}
}

bool backup_keep_parse(const char *text, struct backup_keep *keep_out)
{
	struct backup_keep keep;
	int end = 0;

	if (strspn(text, "0123456789,") != strlen(text) ||
	    sscanf(text, "%4d,%4d,%4d%n", &keep.most[KEEP_DAYS], &keep.most[KEEP_WEEKS],
		   &keep.most[KEEP_MONTHS], &end) != KEEP_RULES ||
	    text[end] || keep.most[KEEP_DAYS] < 1)
		return false;
	*keep_out = keep;
	return true;
}

static int compare_newest_first(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return one < other ? 1 : one > other ? -1 : 0;
}

/* The times of the backups in the folder, the newest first. The caller frees them. */
static enum err rotation_list(int folder, int64_t **times_out, size_t *count_out)
{
	struct buf times = {0};
	const struct dirent *entry;
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = copy < 0 ? NULL : fdopendir(copy);
	int64_t at;

	if (!files) {
		if (copy >= 0)
			close(copy);
		return ERR_IO;
	}
	while ((entry = readdir(files)))
		if (backup_name_time(entry->d_name, &at))
			buf_add(&times, (const char *)&at, sizeof(at));
	closedir(files);
	if (times.failed) {
		buf_release(&times);
		return ERR_NOMEM;
	}
	*count_out = times.len / sizeof(at);
	*times_out = (int64_t *)(void *)times.ptr;
	if (*count_out)
		qsort(*times_out, *count_out, sizeof(at), compare_newest_first);
	return OK;
}

int64_t backup_newest(const char *folder, int64_t most, struct backup_report *report_out)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t *times = NULL, newest = TIME_NONE;
	char name[BACKUP_NAME_BYTES];
	struct stat status;
	size_t count = 0;

	if (fd >= 0 && !rotation_list(fd, &times, &count))
		for (size_t i = 0; i < count && newest == TIME_NONE; i++)
			newest = times[i] <= most ? times[i] : TIME_NONE;
	free(times);
	if (newest != TIME_NONE) {
		backup_name(newest, name);
		snprintf(report_out->file, sizeof(report_out->file), "%s/%s", folder, name);
		report_out->bytes = fstatat(fd, name, &status, 0) ? 0 : status.st_size;
	}
	if (fd >= 0)
		close(fd);
	return newest;
}

/* Whether it is the part of a backup that is older than `made`. */
static bool is_old_part(const char *name, const char *made)
{
	char whole[BACKUP_NAME_BYTES];
	size_t len = strlen(name), end = strlen(PART);
	int64_t at, made_at;

	if (len <= end || len - end >= sizeof(whole) || strcmp(&name[len - end], PART) != 0)
		return false;
	snprintf(whole, sizeof(whole), "%.*s", (int)(len - end), name);
	return backup_name_time(whole, &at) && backup_name_time(made, &made_at) && at < made_at;
}

/* A backup that is being made holds the lock of its part. What cannot be removed stays. */
static void parts_remove(int folder, const char *made)
{
	const struct dirent *entry;
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = copy < 0 ? NULL : fdopendir(copy);

	while (files && (entry = readdir(files))) {
		int fd = is_old_part(entry->d_name, made)
				 ? openat(folder, entry->d_name,
					  O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
				 : -1;

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(folder, entry->d_name, 0);
		if (fd >= 0)
			close(fd);
	}
	if (files)
		closedir(files);
	else if (copy >= 0)
		close(copy);
}

enum err rotation_run(int folder, const struct backup_keep *keep, const char *made,
		      int64_t *removed_out, struct buf *why)
{
	int64_t *times = NULL, removed = 0;
	size_t count = 0;
	enum err err = rotation_list(folder, &times, &count);
	bool *kept = err ? NULL : calloc(count + 1, sizeof(*kept));

	if (!err && !kept)
		err = ERR_NOMEM;
	if (!err)
		rotation_choose(times, count, keep, kept);
	for (size_t i = 0; i < count && !err; i++) {
		char name[BACKUP_NAME_BYTES];

		backup_name(times[i], name);
		if (kept[i] || strcmp(name, made) == 0)
			continue;
		if (unlinkat(folder, name, 0) && errno != ENOENT) {
			buf_printf(why, "cannot remove the old backup %s: %s", name,
				   strerror(errno));
			err = ERR_IO;
		}
		removed += !err;
	}
	parts_remove(folder, made);
	if (err && !why->len)
		buf_printf(why, "cannot look for old backups: %s", err_text(err));
	free(kept);
	free(times);
	*removed_out = removed;
	return err;
}
