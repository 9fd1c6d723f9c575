/* SPDX-License-Identifier: MIT */
/* When the daily backup is due, also on days on which clocks go forward or back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "backup/backup.h"
#include "base/array.h"
#include "base/timefmt.h"

struct row {
	const char *zone, *after;
	int minute;
	const char *next;
};

#define AT(hour, minute) ((hour)*60 + (minute))

static const struct row rows[] = {
	{"UTC", "2027-01-31T02:59:59Z", AT(3, 0), "2027-01-31T03:00:00Z"},
	{"UTC", "2027-01-31T03:00:00Z", AT(3, 0), "2027-02-01T03:00:00Z"},
	{"UTC", "2027-01-31T03:00:01Z", AT(3, 0), "2027-02-01T03:00:00Z"},
	{"UTC", "2027-12-31T23:59:59Z", AT(0, 0), "2028-01-01T00:00:00Z"},
	{"UTC", "2028-02-28T23:59:00Z", AT(23, 59), "2028-02-29T23:59:00Z"},
	/* East and west of Greenwich it is another day. */
	{"Pacific/Auckland", "2027-01-31T13:59:59Z", AT(3, 0), "2027-01-31T14:00:00Z"},
	{"America/Los_Angeles", "2027-01-31T10:59:00Z", AT(3, 0), "2027-01-31T11:00:00Z"},
	{"Asia/Kathmandu", "2027-01-31T00:00:00Z", AT(3, 0), "2027-01-31T21:15:00Z"},
	/* 28 March 2027: 02:00 is followed by 03:00. */
	{"Europe/Berlin", "2027-03-27T01:30:00Z", AT(2, 30), "2027-03-28T01:30:00Z"},
	{"Europe/Berlin", "2027-03-28T01:30:00Z", AT(2, 30), "2027-03-29T00:30:00Z"},
	{"Europe/Berlin", "2027-03-27T02:00:00Z", AT(3, 0), "2027-03-28T01:00:00Z"},
	{"Europe/Berlin", "2027-03-28T01:00:00Z", AT(3, 0), "2027-03-29T01:00:00Z"},
	/* 31 October 2027: 03:00 is followed by 02:00. The first 02:30 counts. */
	{"Europe/Berlin", "2027-10-30T00:30:00Z", AT(2, 30), "2027-10-31T00:30:00Z"},
	{"Europe/Berlin", "2027-10-31T00:30:00Z", AT(2, 30), "2027-11-01T01:30:00Z"},
	{"Europe/Berlin", "2027-10-31T01:30:00Z", AT(2, 30), "2027-11-01T01:30:00Z"},
	{"Europe/Berlin", "2027-10-30T23:00:00Z", AT(3, 0), "2027-10-31T02:00:00Z"},
	/* Half an hour; and midnight that does not exist. */
	{"Australia/Lord_Howe", "2027-10-02T00:00:00Z", AT(2, 15), "2027-10-02T15:45:00Z"},
	{"America/Havana", "2027-03-13T12:00:00Z", AT(0, 0), "2027-03-14T05:00:00Z"},
	/* Samoa had no 30 December 2011: one time, and no day without. */
	{"Pacific/Apia", "2011-12-29T13:00:00Z", AT(3, 0), "2011-12-30T13:00:00Z"},
	{"Pacific/Apia", "2011-12-30T13:00:00Z", AT(3, 0), "2011-12-31T13:00:00Z"},
};

static int64_t time_of(const char *text)
{
	int64_t time;

	assert_true(timestamp_parse(slice_of(text), TIME_FIRST, &time));
	return time;
}

static void rows_check(const char *(*zone_of)(const struct row *row))
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char next[TIMESTAMP_LEN + 1] = "";

		timestamp_write(backup_time_after(zone_of(&rows[i]), rows[i].minute,
						  time_of(rows[i].after)),
				next);
		if (strcmp(next, rows[i].next) != 0)
			print_error("row %zu: %s after %s\n", i, rows[i].zone, rows[i].after);
		assert_string_equal(next, rows[i].next);
	}
}

static const char *zone_named(const struct row *row)
{
	return row->zone;
}

/* Makes it the zone of this machine. */
static const char *zone_here(const struct row *row)
{
	setenv("TZ", row->zone, 1);
	return NULL;
}

static void next_times(void **state)
{
	(void)state;
	rows_check(zone_named);
}

static void next_times_of_this_machine(void **state)
{
	(void)state;
	rows_check(zone_here);
}

/* From each to the next: one for each day of two years. */
static void one_each_day(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York",
					    "Australia/Lord_Howe", "Africa/Cairo"};

	(void)state;
	for (size_t zone = 0; zone < COUNT_OF(zones); zone++)
		for (int minute = 0; minute < AT(24, 0); minute += 15) {
			int64_t at = time_of("2026-12-31T00:00:00Z"), next;

			at = backup_time_after(zones[zone], minute, at);
			for (int day = 0; day < 730; day++, at = next) {
				next = backup_time_after(zones[zone], minute, at);
				assert_in_range(next - at, 23 * 3600 - 1, 25 * 3600);
			}
			assert_in_range(at - time_of("2028-12-30T00:00:00Z"), 0, 2 * 86400);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_times),
		cmocka_unit_test(next_times_of_this_machine),
		cmocka_unit_test(one_each_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
