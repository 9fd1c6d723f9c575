/* SPDX-License-Identifier: MIT */
/* Time zones: names, times that clocks skip or show twice, and updates of tzdata. compare_zones.py
 * compares every zone. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/timefmt.h"
#include "base/zone.h"

#define UNTOUCHED 123456789
#define GONE INT32_MIN
#define NOW 1800000000
#define ZONES "/usr/share/zoneinfo/"

static void names(void **state)
{
	static const char *const known[] = {
		"UTC",
		"Europe/Berlin",
		"America/Argentina/Buenos_Aires",
		"GMT",
		"America/Ciudad_Juarez",
		"America/Coyhaique",
		"Etc/UTC",
		"Etc/GMT+5",
	};
	static const char *const unknown[] = {
		"",
		"BST",
		"IST",
		"PST",
		"+01:00",
		"-05",
		"GMT+5",
		"UTC+1",
		"EST5EDT4",
		"<X>5",
		"Europe",
		"Europe/",
		"UTC0",
		"Z",
		"europe/paris",
		"tzdata.zi",
		"../zoneinfo/GMT",
		"GMT ",
		"Mars/X",
		"-",
		"Europe//",
		"GMT/",
		"A\nB",
		"\xff",
		"Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin",
	};
	/* Files that are no zones of the list. */
	static const char *const unlisted[] = {"posixrules", "posix/Europe/Berlin",
					       "right/UTC",  "Europe//Berlin",
					       "localtime",  "leapseconds",
					       "/UTC"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!zone_is_known(known[i]))
			fail_msg("%s is not known", known[i]);
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		int64_t time = UNTOUCHED;

		if (zone_is_known(unknown[i]))
			fail_msg("%s is known", unknown[i]);
		if (zone_time(unknown[i], 0, 0, &time) != ERR_NOT_FOUND || time != UNTOUCHED)
			fail_msg("%s has times", unknown[i]);
	}
	for (size_t i = 0; i < COUNT_OF(unlisted); i++)
		if (zone_is_known(unlisted[i]))
			fail_msg("%s is known", unlisted[i]);
}

static int64_t timestamp(const char *text)
{
	int64_t time;

	assert_true(timestamp_parse(slice_of(text), TIME_FIRST, &time));
	return time;
}

/* What clocks show, and when. */
static void times(void **state)
{
	static const struct {
		const char *zone, *day;
		int minute;
		const char *utc;
	} rows[] = {
		{"UTC", "2024-02-29", 540, "2024-02-29T09:00:00Z"},
		{"America/New_York", "2024-01-15", 540, "2024-01-15T14:00:00Z"},
		{"America/New_York", "2024-07-15", 540, "2024-07-15T13:00:00Z"},
		/* Clocks go from 02:00 to 03:00, and from 02:00 to 01:00. */
		{"America/New_York", "2024-03-10", 119, "2024-03-10T06:59:00Z"},
		{"America/New_York", "2024-03-10", 120, "2024-03-10T07:00:00Z"},
		{"America/New_York", "2024-03-10", 150, "2024-03-10T07:30:00Z"},
		{"America/New_York", "2024-03-10", 180, "2024-03-10T07:00:00Z"},
		{"America/New_York", "2024-11-03", 59, "2024-11-03T04:59:00Z"},
		{"America/New_York", "2024-11-03", 60, "2024-11-03T05:00:00Z"},
		{"America/New_York", "2024-11-03", 90, "2024-11-03T05:30:00Z"},
		{"America/New_York", "2024-11-03", 120, "2024-11-03T07:00:00Z"},
		/* By half an hour. */
		{"Australia/Lord_Howe", "2024-10-06", 135, "2024-10-05T15:45:00Z"},
		{"Australia/Lord_Howe", "2024-04-07", 105, "2024-04-06T14:45:00Z"},
		/* A day that Samoa skipped, and the days beside it. */
		{"Pacific/Apia", "2011-12-29", 1439, "2011-12-30T09:59:00Z"},
		{"Pacific/Apia", "2011-12-30", 540, "2011-12-30T19:00:00Z"},
		{"Pacific/Apia", "2011-12-31", 0, "2011-12-30T10:00:00Z"},
		{"Asia/Kathmandu", "2030-06-01", 0, "2030-05-31T18:15:00Z"},
		/* Beyond the times that the files list. */
		{"Europe/Berlin", "2055-07-01", 720, "2055-07-01T10:00:00Z"},
		{"Europe/Berlin", "2055-12-01", 720, "2055-12-01T11:00:00Z"},
		{"Europe/Dublin", "2055-07-01", 720, "2055-07-01T11:00:00Z"},
		{"Europe/Dublin", "2055-12-01", 720, "2055-12-01T12:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t time = UNTOUCHED;
		int32_t day, there;

		assert_true(date_parse(slice_of(rows[i].day), &day));
		assert_int_equal(zone_time(rows[i].zone, day, rows[i].minute, &time), OK);
		if (time != timestamp(rows[i].utc))
			fail_msg("%s %s %d: %lld", rows[i].zone, rows[i].day, rows[i].minute,
				 (long long)time);
		assert_int_equal(zone_day(rows[i].zone, time, &there), OK);
		if (strcmp(rows[i].day, "2011-12-30") != 0)
			assert_int_equal(there, day);
	}
}

static void ends(void **state)
{
	int64_t time = UNTOUCHED;
	int32_t day = UNTOUCHED;

	(void)state;
	assert_int_equal(zone_time("Asia/Tokyo", DATE_MIN, 0, &time), ERR_INVALID);
	assert_int_equal(zone_time("Etc/GMT+5", DATE_MAX, 1439, &time), ERR_INVALID);
	assert_int_equal(time, UNTOUCHED);
	assert_int_equal(zone_day("Etc/GMT+5", TIME_MIN, &day), ERR_INVALID);
	assert_int_equal(zone_day("Asia/Tokyo", TIME_MAX, &day), ERR_INVALID);
	assert_int_equal(day, UNTOUCHED);
}

/* A folder of tzdata with one zone, "Test/One". */
static void put_zone(const char *folder, const char *like)
{
	char path[256], name[256], old[256];

	snprintf(path, sizeof(path), "%s/Test/new", folder);
	snprintf(name, sizeof(name), "%s/Test/One", folder);
	snprintf(old, sizeof(old), ZONES "%s", like);
	assert_int_equal(symlink(old, path), 0);
	assert_int_equal(rename(path, name), 0);
}

/* docket looks once a second whether a file has changed. */
static void await_offset(const char *name, int32_t expected)
{
	int64_t until = monotonic_ms() + 30000;
	int32_t offset;

	do {
		if (zone_offset(name, NOW, &offset))
			offset = GONE;
	} while (offset != expected && monotonic_ms() < until);
	assert_int_equal(offset, expected);
}

static void updates(void **state)
{
	char folder[] = "/tmp/docket-zone-XXXXXX", path[64];
	int32_t offset;
	FILE *list;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Test", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("TZDIR", folder, 1);
	put_zone(folder, "Asia/Tokyo");
	assert_false(zone_is_known("Test/One"));
	snprintf(path, sizeof(path), "%s/tzdata.zi", folder);
	list = fopen(path, "w");
	assert_non_null(list);
	fputs("# version\nR a 1 2 - 3\nZ Test/Two 9 - A\n1 b c\nL Test/Two Test/One\n", list);
	fclose(list);
	assert_true(zone_is_known("Test/One"));
	assert_false(zone_is_known("Test/Two"));
	assert_int_equal(zone_offset("Test/One", NOW, &offset), OK);
	assert_int_equal(offset, 9 * 3600);
	put_zone(folder, "Asia/Kolkata");
	await_offset("Test/One", 5 * 3600 + 1800);
	unlink(path);
	snprintf(path, sizeof(path), "%s/Test/One", folder);
	unlink(path);
	await_offset("Test/One", GONE);
	assert_true(zone_is_known("UTC"));
	unsetenv("TZDIR");
	snprintf(path, sizeof(path), "%s/Test", folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void *thread_run(void *context)
{
	static const char *const zones[] = {"Asia/Tokyo", "Europe/Berlin", "Etc/GMT-9", "Mars/X"};
	static const int32_t offsets[] = {9 * 3600, 3600, 9 * 3600};
	size_t *faults = context;
	int32_t offset;

	for (size_t i = 0; i < 20000; i++) {
		size_t at = i % COUNT_OF(zones);
		enum err err = zone_offset(zones[at], NOW, &offset);

		*faults += at < COUNT_OF(offsets) ? err || offset != offsets[at] : !err;
		*faults += i % 1000 == 0 && !zone_is_known("America/New_York");
	}
	return NULL;
}

static void several_threads(void **state)
{
	pthread_t threads[4];
	size_t faults[COUNT_OF(threads)] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run, &faults[i]), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(faults[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(times),
		cmocka_unit_test(ends),
		cmocka_unit_test(updates),
		cmocka_unit_test(several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
