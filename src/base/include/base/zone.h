/* SPDX-License-Identifier: MIT */
/* IANA time zones, by ICU: glibc has one zone a process. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A name of the IANA database, as "Europe/Berlin". */
bool zone_is_known(const char *name);

/* The time, in seconds from 1970-01-01 UTC, at which clocks in the zone show `minute` of `day`
 * (base/timefmt.h). Where they never do, because they go forward, as if they had not gone yet;
 * where they do twice, the first. ERR_INVALID where the zone is not known, and where the time is
 * outside the years 1000 to 9999 in UTC; `time_out` is then untouched. */
enum err zone_time(const char *name, int32_t day, int minute, int64_t *time_out);

/* The day that it is in the zone at a time. ERR_INVALID as above. */
enum err zone_day(const char *name, int64_t time, int32_t *day_out);

#endif
