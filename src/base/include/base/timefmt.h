/* SPDX-License-Identifier: MIT */
/* Dates and timestamps as the API writes and reads them. A date is a day without a time zone,
 * counted from 1970-01-01. A timestamp is whole seconds since 1970-01-01T00:00:00Z. Both lie in the
 * years 1000 to 9999, so that a year always has four digits. The calendar is the proleptic
 * Gregorian one (RFC 3339, section 1). */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define TIME_NONE INT64_MIN            /* no timestamp */
#define DATE_NONE INT32_MIN            /* no date */
#define TIME_MIN INT64_C(-30610224000) /* 1000-01-01T00:00:00Z */
#define TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DATE_MIN (TIME_MIN / 86400)
#define DATE_MAX (TIME_MAX / 86400)
#define DATE_LEN 10      /* "2023-02-14" */
#define TIMESTAMP_LEN 20 /* "2023-02-14T00:00:00Z" */

/* Which second timestamp_parse() takes for a date without a time. */
enum time_bound {
	TIME_FIRST, /* its first second */
	TIME_LAST,  /* its last second: the upper bound of a filter */
};

/* Reads `YYYY-MM-DD`. Midnight may follow (`T` or a space, `00:00:00`, any fraction of zeros, then
 * nothing or `Z`), because .NET and JavaScript send dates like that. False for everything else;
 * `day_out` is then untouched. */
bool date_parse(struct slice text, int32_t *day_out);

/* Reads a timestamp of RFC 3339 with any offset: `Z`, `+01:00`, also `+0100`, and a space for a `+`
 * that was not percent-encoded. It may lack the offset (then it is UTC) or the seconds (as in
 * HTML's datetime-local: `2023-02-01T09:30`), and may have a space for the `T`. A date alone is
 * read as well; `bound` says which second it means. Fractions are cut off. A leap second (RFC 3339,
 * section 5.7) is accepted only if it really occurred; it is read as the first second of the next
 * day. False for everything else, and for a time outside the years 1000 to 9999 in UTC; `time_out`
 * is then untouched. */
bool timestamp_parse(struct slice text, enum time_bound bound, int64_t *time_out);

/* Writes exactly DATE_LEN or TIMESTAMP_LEN bytes, no NUL. The value must be in range. */
void date_write(int32_t day, char out[DATE_LEN]);
void timestamp_write(int64_t time, char out[TIMESTAMP_LEN]);

/* The day of a time, in UTC. */
int32_t date_of(int64_t time);

/* Converts a civil date to a day, and back. date_from_civil() is false for a day that does not
 * exist, such as 30 February, or a year outside 1000 to 9999. */
bool date_from_civil(int year, int month, int day, int32_t *day_out);
void date_to_civil(int32_t day, int *year_out, int *month_out, int *day_out);

#endif
