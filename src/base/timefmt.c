/* SPDX-License-Identifier: MIT */
/* Reads and writes dates and timestamps by arithmetic. libc's functions depend on the time zone of
 * the process. It has to be fast: every record of a list has four to six of them. */
#include "base/timefmt.h"

#include "base/array.h"

#define YEAR_MIN 1000
#define YEAR_MAX 9999
#define DAY_SECONDS 86400
#define DAYS_400_YEARS 146097
#define EPOCH 719162 /* days from 0001-01-01 to 1970-01-01 */

/* Days before the first of each month, in a common year and in a leap year. */
static const int16_t days_before[2][13] = {
	{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
	{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};

/* Rounds down, also below zero. */
static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 0001-01-01 to the first of January of `year`. */
static int64_t year_start(int64_t year)
{
	int64_t past = year - 1;

	return 365 * past + floor_div(past, 4) - floor_div(past, 100) + floor_div(past, 400);
}

/* Like date_from_civil(), but for any year from 0: a timestamp's local year may be out of range
 * while its year in UTC is not. */
static bool civil_day(int year, int month, int day, int64_t *day_out)
{
	const int16_t *before = days_before[is_leap(year)];

	if (month < 1 || month > 12 || day < 1 || day > before[month] - before[month - 1])
		return false;
	*day_out = year_start(year) - EPOCH + before[month - 1] + day - 1;
	return true;
}

bool date_from_civil(int year, int month, int day, int32_t *day_out)
{
	int64_t found;

	if (year < YEAR_MIN || year > YEAR_MAX || !civil_day(year, month, day, &found))
		return false;
	*day_out = (int32_t)found;
	return true;
}

/* Safe for every int32_t: of a value out of range it makes a wrong date, but nothing worse. */
void date_to_civil(int32_t day, int *year_out, int *month_out, int *day_out)
{
	int64_t since = (int64_t)day + EPOCH;
	int64_t year = floor_div(since * 400, DAYS_400_YEARS) + 1;
	const int16_t *before;
	int64_t in_year;
	int month;

	/* Computed from the mean length of a year, `year` is off by at most one. */
	if (year_start(year) > since)
		year--;
	else if (year_start(year + 1) <= since)
		year++;
	in_year = since - year_start(year);
	before = days_before[is_leap(year)];
	/* Computed from months of 31 days, `month` is at most one too early. */
	month = (int)(in_year / 31) + 1;
	if (in_year >= before[month])
		month++;
	*year_out = (int)year;
	*month_out = month;
	*day_out = (int)in_year - before[month - 1] + 1;
}

static void write_two(unsigned int value, char *out)
{
	out[0] = (char)('0' + value / 10 % 10);
	out[1] = (char)('0' + value % 10);
}

void date_write(int32_t day, char out[DATE_LEN])
{
	int year, month, day_of_month;

	date_to_civil(day, &year, &month, &day_of_month);
	write_two((unsigned int)year / 100, out);
	write_two((unsigned int)year % 100, out + 2);
	out[4] = '-';
	write_two((unsigned int)month, out + 5);
	out[7] = '-';
	write_two((unsigned int)day_of_month, out + 8);
}

void timestamp_write(int64_t time, char out[TIMESTAMP_LEN])
{
	int64_t day = floor_div(time, DAY_SECONDS);
	int64_t past = time % DAY_SECONDS;
	unsigned int second = (unsigned int)(past < 0 ? past + DAY_SECONDS : past);

	date_write((int32_t)day, out);
	out[10] = 'T';
	write_two(second / 3600, out + 11);
	out[13] = ':';
	write_two(second / 60 % 60, out + 14);
	out[16] = ':';
	write_two(second % 60, out + 17);
	out[19] = 'Z';
}

/* The take_ functions below read a part at the front of `rest` and move `rest` behind it. If they
 * return false, `rest` is undefined. */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void rest_skip(struct slice *rest, size_t len)
{
	rest->ptr += len;
	rest->len -= len;
}

/* Takes one character that is in `set`. */
static bool take_one(struct slice *rest, const char *set)
{
	if (rest->len == 0 || *rest->ptr == '\0' || !strchr(set, *rest->ptr))
		return false;
	rest_skip(rest, 1);
	return true;
}

/* Takes exactly `digits` digits. */
static bool take_number(struct slice *rest, size_t digits, int *value_out)
{
	int value = 0;

	if (rest->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (!is_digit(rest->ptr[i]))
			return false;
		value = value * 10 + (rest->ptr[i] - '0');
	}
	rest_skip(rest, digits);
	*value_out = value;
	return true;
}

static bool take_date(struct slice *rest, int64_t *day_out)
{
	int year, month, day;

	return take_number(rest, 4, &year) && take_one(rest, "-") && take_number(rest, 2, &month) &&
	       take_one(rest, "-") && take_number(rest, 2, &day) &&
	       civil_day(year, month, day, day_out);
}

/* A time of day as it was written. */
struct day_time {
	int second; /* of the day; a leap second is the first of the next minute */
	bool has_seconds, has_fraction, is_leap;
};

/* Takes the `T` or space, hours and minutes; then seconds and a fraction, if there are any. */
static bool take_time(struct slice *rest, struct day_time *time_out)
{
	struct day_time time = {0};
	int hour, minute, second = 0;

	if (!take_one(rest, "Tt ") || !take_number(rest, 2, &hour) || !take_one(rest, ":") ||
	    !take_number(rest, 2, &minute) || hour > 23 || minute > 59)
		return false;
	time.has_seconds = take_one(rest, ":");
	if (time.has_seconds && (!take_number(rest, 2, &second) || second > 60))
		return false;
	time.second = hour * 3600 + minute * 60 + second;
	time.is_leap = second == 60;
	if (time.has_seconds && take_one(rest, ".")) {
		if (rest->len == 0 || !is_digit(*rest->ptr))
			return false;
		while (rest->len > 0 && is_digit(*rest->ptr)) {
			time.has_fraction |= *rest->ptr != '0';
			rest_skip(rest, 1);
		}
	}
	*time_out = time;
	return true;
}

/* The days, in UTC, that began after a leap second: all that IERS Bulletin C has announced up to
 * 2025, the same as in leap-seconds.list of tzdata. The next leap second needs a row here. */
static const struct {
	int16_t year;
	int8_t month;
} leap_seconds[] = {
	{1972, 7}, {1973, 1}, {1974, 1}, {1975, 1}, {1976, 1}, {1977, 1}, {1978, 1},
	{1979, 1}, {1980, 1}, {1981, 7}, {1982, 7}, {1983, 7}, {1985, 7}, {1988, 1},
	{1990, 1}, {1991, 1}, {1992, 7}, {1993, 7}, {1994, 7}, {1996, 1}, {1997, 7},
	{1999, 1}, {2006, 1}, {2009, 1}, {2012, 7}, {2015, 7}, {2017, 1},
};

/* Whether a leap second came before the time. */
static bool follows_leap_second(int64_t time)
{
	for (size_t i = 0; i < COUNT_OF(leap_seconds); i++) {
		int32_t day;

		if (date_from_civil(leap_seconds[i].year, leap_seconds[i].month, 1, &day) &&
		    time == (int64_t)day * DAY_SECONDS)
			return true;
	}
	return false;
}

/* Takes `Z`, an offset, or nothing, which means UTC. `ahead_out` is how many seconds local time is
 * ahead of UTC. */
static bool take_zone(struct slice *rest, int *ahead_out)
{
	int hour, minute, sign;

	*ahead_out = 0;
	if (rest->len == 0 || take_one(rest, "Zz"))
		return true;
	sign = *rest->ptr == '-' ? -1 : 1;
	if (!take_one(rest, "+- ") || !take_number(rest, 2, &hour))
		return false;
	take_one(rest, ":");
	if (!take_number(rest, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ahead_out = sign * (hour * 3600 + minute * 60);
	return true;
}

bool date_parse(struct slice text, int32_t *day_out)
{
	struct day_time time;
	int64_t day;

	if (!take_date(&text, &day))
		return false;
	if (text.len > 0) {
		if (!take_time(&text, &time) || time.second != 0 || !time.has_seconds ||
		    time.has_fraction)
			return false;
		take_one(&text, "Zz");
	}
	if (text.len > 0 || day < TIME_MIN / DAY_SECONDS)
		return false;
	*day_out = (int32_t)day;
	return true;
}

bool timestamp_parse(struct slice text, enum time_bound bound, int64_t *time_out)
{
	struct day_time of_day = {.second = bound == TIME_LAST ? DAY_SECONDS - 1 : 0};
	int64_t day, time;
	int ahead = 0;

	if (!take_date(&text, &day))
		return false;
	if (text.len > 0 &&
	    (!take_time(&text, &of_day) || !take_zone(&text, &ahead) || text.len > 0))
		return false;
	time = day * DAY_SECONDS + of_day.second - ahead;
	if (of_day.is_leap && !follows_leap_second(time))
		return false;
	if (time < TIME_MIN || time > TIME_MAX)
		return false;
	*time_out = time;
	return true;
}

int32_t date_of(int64_t time)
{
	return (int32_t)((time - (time % 86400 + 86400) % 86400) / 86400);
}
