/* SPDX-License-Identifier: MIT */
/* Dates and timestamps: every form that is read and its near misses, and literal values, so that
 * a reader and a writer with the same mistake do not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/timefmt.h"

#define UNTOUCHED 123456789

#define FIRST_DAY (-354285) /* 1000-01-01 */
#define LAST_DAY 2932896    /* 9999-12-31 */
#define FIRST_TIME INT64_C(-30610224000)
#define LAST_TIME INT64_C(253402300799)

/* 2023-02-14T00:00:00Z, a Tuesday 19402 days after 1970-01-01. */
#define VALENTINE_DAY 19402
#define VALENTINE INT64_C(1676332800)

static void civil_days(void **state)
{
	static const struct {
		int year, month, day;
		int32_t number;
	} rows[] = {
		{1970, 1, 1, 0},         {1969, 12, 31, -1},       {1970, 2, 28, 58},
		{1970, 3, 1, 59},        {1972, 2, 29, 789},       {2000, 2, 29, 11016},
		{2000, 3, 1, 11017},     {1900, 2, 28, -25509},    {1900, 3, 1, -25508},
		{2024, 2, 29, 19782},    {2023, 2, 14, 19402},     {2038, 1, 19, 24855},
		{1000, 1, 1, FIRST_DAY}, {9999, 12, 31, LAST_DAY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int32_t number = UNTOUCHED;
		int year, month, day;

		assert_true(date_from_civil(rows[i].year, rows[i].month, rows[i].day, &number));
		assert_int_equal(number, rows[i].number);
		date_to_civil(rows[i].number, &year, &month, &day);
		assert_int_equal(year, rows[i].year);
		assert_int_equal(month, rows[i].month);
		assert_int_equal(day, rows[i].day);
	}
}

static void no_such_day(void **state)
{
	static const struct {
		int year, month, day;
	} rows[] = {
		{1900, 2, 29}, {2023, 2, 29},     {2100, 2, 29},
		{2024, 2, 30}, {2000, 2, 30},     {2023, 0, 1},
		{2023, 13, 1}, {2023, -1, 1},     {2023, 1, 0},
		{2023, 1, -1}, {2023, 1, 32},     {2023, 4, 31},
		{2023, 6, 31}, {2023, 9, 31},     {2023, 11, 31},
		{999, 12, 31}, {0, 1, 1},         {-1, 1, 1},
		{10000, 1, 1}, {INT32_MIN, 1, 1}, {INT32_MAX, INT32_MAX, INT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int32_t number = UNTOUCHED;

		assert_false(date_from_civil(rows[i].year, rows[i].month, rows[i].day, &number));
		assert_int_equal(number, UNTOUCHED);
	}
}

/* Every day from year 1000 to 9999, compared with a calendar that counts days one by one. */
static void every_day(void **state)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int32_t expected = FIRST_DAY;

	(void)state;
	for (int year = 1000; year <= 9999; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 1; month <= 12; month++) {
			int length = lengths[month - 1] + (leap && month == 2);

			for (int day = 1; day <= length; day++, expected++) {
				int y, m, d;
				int32_t number;
				char written[DATE_LEN];

				date_to_civil(expected, &y, &m, &d);
				date_write(expected, written);
				if (!date_from_civil(year, month, day, &number) ||
				    number != expected || y != year || m != month || d != day ||
				    !date_parse((struct slice){written, DATE_LEN}, &number) ||
				    number != expected)
					fail_msg("%d-%d-%d is not day %d", year, month, day,
						 expected);
			}
			assert_false(date_from_civil(year, month, length + 1, &(int32_t){0}));
		}
	}
	assert_int_equal(expected, LAST_DAY + 1);
}

static void dates_read(void **state)
{
	static const struct {
		const char *text;
		int32_t day;
	} rows[] = {
		{"2023-02-14", VALENTINE_DAY},
		{"2023-02-14T00:00:00", VALENTINE_DAY},
		{"2023-02-14t00:00:00", VALENTINE_DAY},
		{"2023-02-14 00:00:00", VALENTINE_DAY},
		{"2023-02-14T00:00:00Z", VALENTINE_DAY},
		{"2023-02-14 00:00:00Z", VALENTINE_DAY},
		{"2023-02-14t00:00:00z", VALENTINE_DAY},
		{"2023-02-14T00:00:00.0", VALENTINE_DAY},
		{"2023-02-14T00:00:00.000Z", VALENTINE_DAY},
		{"2023-02-14T00:00:00.0000000", VALENTINE_DAY},
		{"2024-02-29", 19782},
		{"2000-02-29", 11016},
		{"1970-01-01", 0},
		{"1000-01-01", FIRST_DAY},
		{"9999-12-31", LAST_DAY},
		{"9999-12-31T00:00:00Z", LAST_DAY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int32_t day = UNTOUCHED;

		if (!date_parse(slice_of(rows[i].text), &day) || day != rows[i].day)
			fail_msg("\"%s\" gave %d", rows[i].text, day);
	}
}

static void dates_refused(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"2",
		"2023",
		"2023-",
		"2023-02",
		"2023-02-",
		"2023-02-1",
		"2023-2-1",
		"2023-2-14",
		"23-02-14",
		"02023-02-14",
		"20230214",
		"2023/02/14",
		"2023-02/14",
		"14-02-2023",
		"02/14/2023",
		"+2023-02-14",
		"-2023-02-14",
		" 2023-02-14",
		"2023-02-14 ",
		"2023-02-14x",
		"2023-02-14\n",
		"2023-02-14T",
		"2023-02-14Z",
		"2023-02-14-",
		"2023-02-14+00:00",
		"2o23-02-14",
		"2023-0a-14",
		"2023-02-1:",
		"2023-02-30",
		"2023-02-29",
		"1900-02-29",
		"2023-00-14",
		"2023-13-14",
		"2023-02-00",
		"2023-04-31",
		"0000-00-00",
		"0000-01-01",
		"0999-12-31",
		"10000-01-01",
		"2023-02-14T00:00:01",
		"2023-02-14T00:01:00",
		"2023-02-14T01:00:00",
		"2023-02-14T24:00:00",
		"2023-02-14T23:59:60",
		"2023-02-14T12:00:00Z",
		"2023-02-14T00:00:00+01:00",
		"2023-02-14T00:00:00-01:00",
		"2023-02-14T00:00:00+00:00",
		"2023-02-14T00:00:00+0000",
		"2023-02-14T00:00:00 00:00",
		"2023-02-14T00:00",
		"2023-02-14T00",
		"2023-02-14T0:00:00",
		"2023-02-14T00:00:0",
		"2023-02-14T000000",
		"2023-02-14T00:00:00.",
		"2023-02-14T00:00:00.Z",
		"2023-02-14T00:00:00,0",
		"2023-02-14T00:00:00.1",
		"2023-02-14T00:00:00.0000001",
		"2023-02-14T00:00:00.0.0",
		"2023-02-14T00:00:00ZZ",
		"2023-02-14T00:00:00Z ",
		"2023-02-14T00:00:00 Z",
		"2023-02-14T00:00:00 ",
		"2023-02-14  00:00:00",
		"2023-02-14_00:00:00",
		"2023\xe2\x80\x93\x30\x32-14",    /* U+2013, a dash */
		"\xd9\xa2\xd9\xa0\x32\x33-02-14", /* Arabic digits */
	};
	int32_t day = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (date_parse(slice_of(rows[i]), &day) || day != UNTOUCHED)
			fail_msg("\"%s\" was read as a date", rows[i]);
	}
	assert_false(date_parse((struct slice){NULL, 0}, &day));
	assert_false(date_parse(SLICE("2023-02-14\0"), &day));
	assert_false(date_parse(SLICE("2023-02-14\0"
				      "00:00:00"),
				&day));
	assert_false(date_parse(SLICE("2023-02-14T00:00:00\0"), &day));
	/* The bytes after the slice are not read. */
	assert_false(date_parse((struct slice){"2023-02-14", 9}, &day));
	assert_int_equal(day, UNTOUCHED);
	assert_true(date_parse((struct slice){"2023-02-14T99", 10}, &day));
	assert_int_equal(day, VALENTINE_DAY);
}

static void timestamps_read(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59Z", -1},
		{"1970-01-01T01:02:03Z", 3723},
		{"2001-09-09T01:46:40Z", 1000000000},
		{"2038-01-19T03:14:08Z", INT64_C(2147483648)},
		{"2023-02-14T00:00:00Z", VALENTINE},
		{"2023-02-14t00:00:00z", VALENTINE},
		{"2023-02-14 00:00:00Z", VALENTINE},
		{"2023-02-14T00:00:00", VALENTINE},
		{"2023-02-14 00:00:00", VALENTINE},
		{"2023-02-14", VALENTINE},
		/* offsets */
		{"2023-02-14T01:00:00+01:00", VALENTINE},
		{"2023-02-14T01:00:00+0100", VALENTINE},
		{"2023-02-14T01:00:00 01:00", VALENTINE},
		{"2023-02-14T01:00:00 0100", VALENTINE},
		{"2023-02-14 01:00:00 01:00", VALENTINE},
		{"2023-02-13T17:00:00-07:00", VALENTINE},
		{"2023-02-13T17:00:00-0700", VALENTINE},
		{"2023-02-14 05:45:00+05:45", VALENTINE},
		{"2023-02-14T00:00:00+00:00", VALENTINE},
		{"2023-02-14T00:00:00+0000", VALENTINE},
		{"2023-02-14T00:00:00-00:00", VALENTINE},
		{"2023-02-14T23:59:00+23:59", VALENTINE},
		{"2023-02-13T00:01:00-23:59", VALENTINE},
		{"2024-02-29T23:30:00-01:00", INT64_C(1709253000)}, /* 1 March 00:30 */
		/* fractions, cut: before 1970 as well */
		{"2023-02-14T00:00:00.9Z", VALENTINE},
		{"2023-02-14T00:00:00.999999999999999999999999999999", VALENTINE},
		{"2023-02-14 00:00:00.5", VALENTINE},
		{"2023-02-14T01:00:00.123+01:00", VALENTINE},
		{"2023-02-14T01:00:00.123 01:00", VALENTINE},
		{"1969-12-31T23:59:59.9Z", -1},
		/* the 60th second */
		{"2016-12-31T23:59:60Z", INT64_C(1483228800)},
		{"2016-12-31T23:59:60.5Z", INT64_C(1483228800)},
		{"2017-01-01T00:59:60+01:00", INT64_C(1483228800)},
		{"2016-12-31T18:59:60-05:00", INT64_C(1483228800)},
		{"2016-12-31 23:59:60", INT64_C(1483228800)},
		/* no seconds, as of HTML's datetime-local */
		{"2023-02-14T00:00", VALENTINE},
		{"2023-02-14 00:00", VALENTINE},
		{"2023-02-14t09:30", VALENTINE + 34200},
		{"2023-02-14T09:30Z", VALENTINE + 34200},
		{"2023-02-14T09:30+01:00", VALENTINE + 30600},
		{"2023-02-14T09:30 0100", VALENTINE + 30600},
		/* the first and the last time, also with an offset */
		{"1000-01-01T00:00:00Z", FIRST_TIME},
		{"1000-01-01", FIRST_TIME},
		{"1000-01-01T01:00:00+01:00", FIRST_TIME},
		{"0999-12-31T23:00:00-01:00", FIRST_TIME},
		{"9999-12-31T23:59:59Z", LAST_TIME},
		{"9999-12-31T23:59:59.999Z", LAST_TIME},
		{"9999-12-31T22:59:59-01:00", LAST_TIME},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t time = UNTOUCHED;

		if (!timestamp_parse(slice_of(rows[i].text), TIME_FIRST, &time) ||
		    time != rows[i].time)
			fail_msg("\"%s\" gave %lld", rows[i].text, (long long)time);
	}
}

/* Every half year since 1972: whether it ended with a leap second, from tzdata's leap-seconds.list.
 */
static void leap_seconds(void **state)
{
	static const char had[] = "1101010101010101" /* 1972 to 1979 */
				  "0010101000100001" /* 1980 to 1987 */
				  "0001010010101001" /* 1988 to 1995 */
				  "0010010000000000" /* 1996 to 2003 */
				  "0001000001000000" /* 2004 to 2011 */
				  "1000001001000000" /* 2012 to 2019 */
				  "000000000000";    /* 2020 to 2025 */
	int count = 0;

	(void)state;
	for (int half = 0; had[half]; half++) {
		char text[32];
		int64_t time;
		bool read;

		snprintf(text, sizeof(text), "%d-%sT23:59:60Z", 1972 + half / 2,
			 half % 2 ? "12-31" : "06-30");
		read = timestamp_parse(slice_of(text), TIME_FIRST, &time);
		if (read != (had[half] == '1'))
			fail_msg("%s", text);
		count += read;
	}
	assert_int_equal(count, 27);
}

static void upper_bounds(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} rows[] = {
		{"2023-02-14", VALENTINE + 86399}, /* only a bare date means its last second */
		{"9999-12-31", LAST_TIME},          {"2023-02-14T00:00:00", VALENTINE},
		{"2023-02-14 00:00:00", VALENTINE}, {"2023-02-14T00:00:00Z", VALENTINE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t time = UNTOUCHED;

		assert_true(timestamp_parse(slice_of(rows[i].text), TIME_LAST, &time));
		assert_int_equal(time, rows[i].time);
	}
}

static void timestamps_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"Z",
		"T",
		"0",
		"1676332800",
		"now",
		"2023-02-1",
		"2023-2-1",
		"2023-02-30",
		"2023-02-14Z",
		"2023-02-14+01:00",
		"2023-02-14 ",
		"2023-02-14T",
		" 2023-02-14",
		"2023-02-14T00",
		"2023-02-14T00:",
		"2023-02-14T00:0",
		"2023-02-14T00:0Z",
		"2023-02-14T00:00:",
		"2023-02-14T00:00:Z",
		"2023-02-14T00:00.5Z",
		"2023-02-14T24:00",
		"2023-02-14T00:60",
		"2023-02-14T0:00:00Z",
		"2023-02-14T000000Z",
		"20230214T000000Z",
		"2023-02-14  00:00:00",
		"2023-02-14_00:00:00",
		"2023-02-14T24:00:00Z",
		"2023-02-14T24:00:00",
		"2023-02-14T23:60:00Z",
		"2023-02-14T10:59:60Z",
		"2023-02-14T23:59:60+01:00",
		"2023-02-14T23:59:61Z",
		"2016-12-31T23:59:61Z",
		/* no leap second */
		"2023-06-30T23:59:60Z",
		"2015-12-31T23:59:60Z",
		"2016-06-30T23:59:60Z",
		"2016-12-30T23:59:60Z",
		"2016-12-31T22:59:60Z",
		"2016-12-31T23:58:60Z",
		"2016-12-31T23:59:60+01:00",
		"2017-01-01T23:59:60Z",
		"1971-12-31T23:59:60Z",
		"2016-12-31T23:60",
		"2023-02-14T-1:00:00Z",
		"2023-02-14T00:00:00.",
		"2023-02-14T00:00:00.Z",
		"2023-02-14T00:00:00.+01:00",
		"2023-02-14T00:00:00,5Z",
		"2023-02-14T00:00:00.5.5Z",
		"2023-02-14T00:00:00.-5Z",
		"2023-02-14T00:00:00ZZ",
		"2023-02-14T00:00:00Z ",
		"2023-02-14T00:00:00 Z",
		"2023-02-14T00:00:00Z+01:00",
		"2023-02-14T00:00:00 ",
		"2023-02-14T00:00:00x",
		"2023-02-14T00:00:00+24:00",
		"2023-02-14T00:00:00-24:00",
		"2023-02-14T00:00:00+2400",
		"2023-02-14T00:00:00+01:60",
		"2023-02-14T00:00:00+01",
		"2023-02-14T00:00:00+1",
		"2023-02-14T00:00:00+1:00",
		"2023-02-14T00:00:00+01:",
		"2023-02-14T00:00:00+01:0",
		"2023-02-14T00:00:00+010",
		"2023-02-14T00:00:00+01:000",
		"2023-02-14T00:00:00+01:00 ",
		"2023-02-14T00:00:00 +01:00",
		"2023-02-14T00:00:00++01:00",
		"2023-02-14T00:00:00 UTC",
		"2023-02-14T00:00:00+",
		"2023-02-14T00:00:00-",
		"2023-02-14T00:00:00\xe2\x88\x92\x30\x31:00", /* U+2212, a minus of ISO 8601 */
		"0999-12-31T23:59:59Z",
		"0999-12-31",
		"0000-01-01T00:00:00Z",
		"1000-01-01T00:59:59+01:00",
		"1000-01-01T00:00:00+00:01",
		"0999-12-31T22:59:59-01:00",
		"9999-12-31T23:59:60Z",
		"9999-12-31T23:00:00-01:00",
		"9999-12-31T23:59:59-00:01",
		"10000-01-01T00:00:00Z",
	};
	static const char valid[] = "2023-02-14T00:00:00+01:00";
	int64_t time = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (timestamp_parse(slice_of(rows[i]), TIME_FIRST, &time) ||
		    timestamp_parse(slice_of(rows[i]), TIME_LAST, &time) || time != UNTOUCHED)
			fail_msg("\"%s\" was read as a timestamp", rows[i]);
	}
	assert_false(timestamp_parse((struct slice){NULL, 0}, TIME_FIRST, &time));
	assert_false(timestamp_parse(SLICE("2023-02-14T00:00:00Z\0"), TIME_FIRST, &time));
	assert_false(timestamp_parse(SLICE("2023-02-14\0"
					   "00:00:00"),
				     TIME_FIRST, &time));
	assert_false(timestamp_parse(SLICE("2023-02-14T00:00:00\0"), TIME_FIRST, &time));
	assert_false(timestamp_parse(SLICE("2023-02-14T00:00:00\0"
					   "01:00"),
				     TIME_FIRST, &time));
	/* The bytes after the slice are not read. */
	assert_false(timestamp_parse((struct slice){valid, 18}, TIME_FIRST, &time));
	assert_int_equal(time, UNTOUCHED);
	assert_true(timestamp_parse((struct slice){valid, 19}, TIME_FIRST, &time));
	assert_int_equal(time, VALENTINE);
}

static void written(void **state)
{
	static const struct {
		int64_t time;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{-86400, "1969-12-31T00:00:00Z"},
		{-86401, "1969-12-30T23:59:59Z"},
		{86399, "1970-01-01T23:59:59Z"},
		{86400, "1970-01-02T00:00:00Z"},
		{3723, "1970-01-01T01:02:03Z"},
		{45296, "1970-01-01T12:34:56Z"},
		{INT64_C(1675209600), "2023-02-01T00:00:00Z"},
		{INT64_C(1709210096), "2024-02-29T12:34:56Z"},
		{INT64_C(951782400), "2000-02-29T00:00:00Z"},
		{FIRST_TIME, "1000-01-01T00:00:00Z"},
		{LAST_TIME, "9999-12-31T23:59:59Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[TIMESTAMP_LEN + 1] = "#####################";
		struct slice slice = {text, TIMESTAMP_LEN};
		int64_t back = UNTOUCHED;

		text[TIMESTAMP_LEN] = '#';
		timestamp_write(rows[i].time, text);
		assert_memory_equal(text, rows[i].text, TIMESTAMP_LEN);
		assert_int_equal(text[TIMESTAMP_LEN], '#');
		assert_true(timestamp_parse(slice, TIME_FIRST, &back));
		assert_int_equal(back, rows[i].time);
	}
}

static void dates_written(void **state)
{
	char text[DATE_LEN + 1] = "###########";

	(void)state;
	text[DATE_LEN] = '#';
	date_write(VALENTINE_DAY, text);
	assert_memory_equal(text, "2023-02-14#", DATE_LEN + 1);
	date_write(FIRST_DAY, text);
	assert_memory_equal(text, "1000-01-01#", DATE_LEN + 1);
	date_write(LAST_DAY, text);
	assert_memory_equal(text, "9999-12-31#", DATE_LEN + 1);
	date_write(19782, text);
	assert_memory_equal(text, "2024-02-29#", DATE_LEN + 1);
}

/* For a value out of range, as in a damaged row, the text is wrong, but nothing else breaks. */
static void out_of_range_is_harmless(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_MAX, LAST_TIME + 1, FIRST_TIME - 1,
					INT64_C(1) << 50};
	char text[TIMESTAMP_LEN];
	int year, month, day;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++)
		timestamp_write(times[i], text);
	date_to_civil(INT32_MIN, &year, &month, &day);
	assert_in_range(month, 1, 12);
	date_to_civil(INT32_MAX, &year, &month, &day);
	assert_in_range(month, 1, 12);
	assert_in_range(day, 1, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(civil_days),         cmocka_unit_test(no_such_day),
		cmocka_unit_test(every_day),          cmocka_unit_test(dates_read),
		cmocka_unit_test(dates_refused),      cmocka_unit_test(timestamps_read),
		cmocka_unit_test(leap_seconds),       cmocka_unit_test(upper_bounds),
		cmocka_unit_test(timestamps_refused), cmocka_unit_test(written),
		cmocka_unit_test(dates_written),      cmocka_unit_test(out_of_range_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
