/* SPDX-License-Identifier: MIT */
/* IANA time zones, by GLib: glibc has only one zone per process. To read a zone takes GLib half a
 * millisecond, so a table keeps those that were used. There are some 600, of some 40 KiB each. */
#include "base/zone.h"

#include <glib.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/timefmt.h"

#define FOLDER "/usr/share/zoneinfo"
#define LIST "tzdata.zi"
#define DAY 86400
#define NAME_BYTES 65
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-"
#define FRESH_MS 1000 /* after that, docket looks whether the file has changed */
/* 2038-01-01: a file lists the changes before, and has a rule for those after. */
#define LISTED INT64_C(2145916800)

struct slot {
	GTimeZone *zone;  /* NULL: there is no such file */
	struct stat file; /* all 0: none */
	int64_t checked_ms;
};

static GHashTable *slots;                                      /* by name; NULL: none yet */
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER; /* GLib is called only with it */

/* Writes the path of a file of tzdata. False if it is too long. */
static bool tzdata_path(const char *name, char out[PATH_MAX])
{
	const char *folder = getenv("TZDIR");
	int len =
		snprintf(out, PATH_MAX, "%s/%s", folder && *folder == '/' ? folder : FOLDER, name);

	return len > 0 && len < PATH_MAX;
}

/* Whether a line of the list names the zone: "Z NAME …" begins a zone, "L TARGET NAME" is a link.
 */
static bool line_has(const char *line, const char *end, const char *zone)
{
	const char *name = line + 2, *blank;

	if (end - line < 2 || line[1] != ' ' || (*line != 'Z' && *line != 'L'))
		return false;
	blank = memchr(name, ' ', (size_t)(end - name));
	if (!blank)
		return false;
	if (*line == 'Z')
		end = blank;
	else
		name = blank + 1;
	return (size_t)(end - name) == strlen(zone) && memcmp(name, zone, strlen(zone)) == 0;
}

static bool zone_is_listed(const char *name)
{
	char path[PATH_MAX];
	const char *line, *end, *last;
	bool found = false;
	GMappedFile *list = tzdata_path(LIST, path) ? g_mapped_file_new(path, FALSE, NULL) : NULL;

	if (!list)
		return false;
	line = g_mapped_file_get_contents(list);
	last = line + g_mapped_file_get_length(list);
	for (; !found && line < last; line = end + 1) {
		end = memchr(line, '\n', (size_t)(last - line));
		if (!end)
			break;
		found = line_has(line, end, name);
	}
	g_mapped_file_unref(list);
	return found;
}

/* GLib gets a path, because it takes some names for rules: "EST5EDT", "+01:00". The old zone goes
 * first: GLib returns it again while somebody has a reference to it. */
static void slot_load(struct slot *slot, const char *path)
{
	if (slot->zone)
		g_time_zone_unref(slot->zone);
	slot->zone = S_ISREG(slot->file.st_mode) ? g_time_zone_new_identifier(path) : NULL;
}

static struct slot *slot_find(const char *name)
{
	struct slot *slot;

	if (!slots)
		slots = g_hash_table_new(g_str_hash, g_str_equal);
	slot = g_hash_table_lookup(slots, name);
	if (!slot) {
		slot = g_new0(struct slot, 1);
		slot->checked_ms = -FRESH_MS;
		g_hash_table_insert(slots, g_strdup(name), slot);
	}
	return slot;
}

/* The zone as its file is now. Call it with the lock. NULL: there is none. */
static GTimeZone *zone_find(const char *name)
{
	int64_t now = monotonic_ms();
	struct stat file = {0};
	struct slot *slot;
	char path[PATH_MAX];
	bool same;

	if (strlen(name) >= NAME_BYTES || !tzdata_path(name, path))
		return NULL;
	slot = slot_find(name);
	if (now - slot->checked_ms < FRESH_MS)
		return slot->zone;
	if (stat(path, &file))
		file = (struct stat){0};
	same = file.st_ino == slot->file.st_ino && file.st_size == slot->file.st_size &&
	       file.st_mtim.tv_sec == slot->file.st_mtim.tv_sec &&
	       file.st_mtim.tv_nsec == slot->file.st_mtim.tv_nsec;
	slot->file = file;
	slot->checked_ms = now;
	if (!same)
		slot_load(slot, path);
	return slot->zone;
}

/* GLib takes the offset 0 in the rule of Ireland for the years after 2037, "IST-1GMT0,…", for a
 * missing one. The rule of London is the same. */
static const char *zone_for_time(const char *name, int64_t time)
{
	bool misread = strcmp(name, "Europe/Dublin") == 0 || strcmp(name, "Eire") == 0;

	return misread && time > LISTED ? "Europe/London" : name;
}

bool zone_is_known(const char *name)
{
	bool listed;
	int32_t offset;

	pthread_mutex_lock(&slots_lock);
	listed = zone_is_listed(name);
	pthread_mutex_unlock(&slots_lock);
	return strcmp(name, "UTC") == 0 || (listed && !zone_offset(name, 0, &offset));
}

/* glibc looks whether the zone of this machine has changed. */
static enum err zone_offset_here(int64_t time, int32_t *seconds_out)
{
	struct tm local;

	tzset();
	if (!localtime_r(&time, &local))
		return ERR_INVALID;
	*seconds_out = (int32_t)local.tm_gmtoff;
	return OK;
}

enum err zone_offset(const char *name, int64_t time, int32_t *seconds_out)
{
	enum err err = ERR_NOT_FOUND;
	GTimeZone *zone;

	if (!name)
		return zone_offset_here(time, seconds_out);
	if (strcmp(name, "UTC") == 0) {
		*seconds_out = 0;
		return OK;
	}
	if (strspn(name, NAME_CHARS) != strlen(name))
		return ERR_NOT_FOUND;
	pthread_mutex_lock(&slots_lock);
	zone = zone_find(zone_for_time(name, time));
	if (zone) {
		*seconds_out = g_time_zone_get_offset(
			zone, g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, time));
		err = OK;
	}
	pthread_mutex_unlock(&slots_lock);
	return err;
}

enum err zone_time(const char *name, int32_t day, int minute, int64_t *time_out)
{
	const int64_t shown = (int64_t)day * DAY + minute * 60; /* as if it were UTC */
	int32_t offset, later = 0, latest = 0;
	int64_t time;
	enum err err = zone_offset(name, shown - DAY, &offset);

	if (!err)
		err = zone_offset(name, shown - offset, &later);
	if (!err)
		err = zone_offset(name, shown - later, &latest);
	if (err)
		return err;
	time = shown - (latest == later ? later : offset);
	if (time < TIME_MIN || time > TIME_MAX)
		return ERR_INVALID;
	*time_out = time;
	return OK;
}

enum err zone_day(const char *name, int64_t time, int32_t *day_out)
{
	int32_t offset, day;
	enum err err = zone_offset(name, time, &offset);

	if (err)
		return err;
	day = date_of(time + offset);
	if (day < DATE_MIN || day > DATE_MAX)
		return ERR_INVALID;
	*day_out = day;
	return OK;
}
