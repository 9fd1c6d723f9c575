/* SPDX-License-Identifier: MIT */
/* IANA time zones, from the system's tzdata. An update of tzdata takes effect within a second.
 * tzdata is in /usr/share/zoneinfo, or in the folder that the environment variable TZDIR names. UTC
 * needs no file. All functions may be called by several threads at once. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether tzdata lists the name, such as "Europe/Berlin", and has its file. An update of tzdata may
 * remove the file: Debian 13 has those of old names, such as "US/Eastern", in a package of their
 * own. */
bool zone_is_known(const char *name);

/* In the functions below `name` may be NULL: the zone of this machine, which the environment
 * variable TZ or /etc/localtime says. Their errors: ERR_NOT_FOUND: tzdata has no such zone.
 * ERR_INVALID: the result is outside the years 1000 to 9999. */

/* The seconds that clocks in the zone are ahead of UTC at a time. */
enum err zone_offset(const char *name, int64_t time, int32_t *seconds_out);

/* The time, in seconds from 1970-01-01 UTC, at which clocks in the zone show `minute` of `day`
 * (base/timefmt.h). If clocks skip that minute, the result is as if they had not gone forward yet.
 * If they show it twice, the result is the first time. */
enum err zone_time(const char *name, int32_t day, int minute, int64_t *time_out);

/* The date in the zone at a time. */
enum err zone_day(const char *name, int64_t time, int32_t *day_out);

#endif
