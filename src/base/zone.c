/* SPDX-License-Identifier: MIT */
/* IANA time zones, by ICU. */
#include "base/zone.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/timefmt.h"

#define ZONE_CHARS 64

static UCalendar *open_zone(const char *name)
{
	UChar id[ZONE_CHARS], canonical[ZONE_CHARS];
	UErrorCode code = U_ZERO_ERROR;
	UCalendar *calendar;
	UBool known;

	if (strlen(name) >= ZONE_CHARS || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						       "abcdefghijklmnopqrstuvwxyz"
						       "0123456789/_+-") != strlen(name))
		return NULL;
	u_uastrcpy(id, name);
	/* It also reads names such as "GMT+5", which it calls by a name of its own. */
	ucal_getCanonicalTimeZoneID(id, -1, canonical, ZONE_CHARS, &known, &code);
	if (U_FAILURE(code) || !known)
		return NULL;
	calendar = ucal_open(id, -1, "", UCAL_GREGORIAN, &code);
	if (U_FAILURE(code))
		return NULL;
	/* The Gregorian calendar throughout, as dates are everywhere in docket. */
	ucal_setGregorianChange(calendar, -1e18, &code);
	ucal_setAttribute(calendar, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_FIRST);
	return calendar;
}

bool zone_is_known(const char *name)
{
	UCalendar *calendar = open_zone(name);
	bool known = calendar != NULL;

	if (known)
		ucal_close(calendar);
	return known;
}

enum err zone_time(const char *name, int32_t day, int minute, int64_t *time_out)
{
	UErrorCode code = U_ZERO_ERROR;
	UCalendar *calendar;
	int year, month, date;
	UDate seconds;

	if (strcmp(name, "UTC") == 0) {
		*time_out = (int64_t)day * 86400 + minute * 60;
		return OK;
	}
	calendar = open_zone(name);
	if (!calendar)
		return ERR_INVALID;
	date_to_civil(day, &year, &month, &date);
	ucal_clear(calendar);
	ucal_setDateTime(calendar, year, month - 1, date, minute / 60, minute % 60, 0, &code);
	ucal_set(calendar, UCAL_MILLISECOND, 0);
	seconds = ucal_getMillis(calendar, &code) / 1000;
	ucal_close(calendar);
	if (U_FAILURE(code) || seconds < TIME_MIN || seconds > TIME_MAX)
		return ERR_INVALID;
	*time_out = (int64_t)seconds;
	return OK;
}

enum err zone_day(const char *name, int64_t time, int32_t *day_out)
{
	UErrorCode code = U_ZERO_ERROR;
	UCalendar *calendar = open_zone(name);
	int32_t year, month, date;

	if (!calendar)
		return ERR_INVALID;
	ucal_setMillis(calendar, (UDate)time * 1000, &code);
	year = ucal_get(calendar, UCAL_EXTENDED_YEAR, &code);
	month = ucal_get(calendar, UCAL_MONTH, &code) + 1;
	date = ucal_get(calendar, UCAL_DATE, &code);
	ucal_close(calendar);
	return U_SUCCESS(code) && date_from_civil(year, month, date, day_out) ? OK : ERR_INVALID;
}
