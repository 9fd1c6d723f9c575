/* SPDX-License-Identifier: MIT */
/* For compare_zones.py: print_zones STEP prints what docket knows of each zone that is named on
 * standard input, for every STEPth hour from FIRST to LAST. A line has the name, whether it is
 * known (1 or 0), and for each hour at which the offset differs from the one before: the hour and
 * the offset in seconds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"

#define FIRST 1704067200 /* 2024-01-01T00:00:00Z */
#define LAST 2177449200  /* 2038-12-31T23:00:00Z */

static void zone_print(const char *name, int step)
{
	int32_t offset, before = INT32_MIN;

	for (int64_t time = FIRST; time <= LAST && !zone_offset(name, time, &offset);
	     time += (int64_t)step * 3600) {
		if (offset != before)
			printf(" %" PRId64 " %" PRId32, (time - FIRST) / 3600, offset);
		before = offset;
	}
}

int main(int argc, char **argv)
{
	int step = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0;
	char name[256];

	if (step < 1)
		return 2;

	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		printf("%s %d", name, zone_is_known(name));
		zone_print(name, step);
		putchar('\n');
	}
	return 0;
}
