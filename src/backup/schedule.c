/* SPDX-License-Identifier: MIT */
/* When a served folder is backed up. */
#include "backup/backup.h"
#include "base/timefmt.h"
#include "base/zone.h"

#define DAY 86400

int64_t backup_time_after(const char *zone, int minute, int64_t after)
{
	int64_t time;
	int32_t day;

	/* If clocks skip the minute, the time is later, and may be on the next day. */
	if (!zone_day(zone, after, &day))
		for (int32_t at = day - 1; at <= day + 2; at++)
			if (!zone_time(zone, at, minute, &time) && time > after)
				return time;
	return after + DAY;
}
