/* SPDX-License-Identifier: MIT */
/* For compare_zones.py: prints what docket knows of each zone that is named on standard input, for
 * every hour from FIRST to LAST. A line has the name, whether it is known (1 or 0), and for each
 * hour at which the offset differs from the hour before: the hour and the offset in seconds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"

#define FIRST 1704067200 /* 2024-01-01T00:00:00Z */
#define LAST 2177449200  /* 2038-12-31T23:00:00Z */

static void zone_print(const char *name)
{
	int32_t offset, before = INT32_MIN;

	for (int64_t time = FIRST; time <= LAST && !zone_offset(name, time, &offset);
	     time += 3600) {
		if (offset != before)
			printf(" %" PRId64 " %" PRId32, (time - FIRST) / 3600, offset);
		before = offset;
	}
}

int main(void)
{
	char name[256];

	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		printf("%s %d", name, zone_is_known(name));
		zone_print(name);
		putchar('\n');
	}
	return 0;
}
