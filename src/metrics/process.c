/* SPDX-License-Identifier: MIT */
/* Reads what the kernel counts for this process: proc(5), getrusage(2), getrlimit(2). */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/array.h"

static int64_t usage_us(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

static void memory_count(struct process_counters *counters)
{
	const struct {
		const char *name;
		int64_t *bytes;
	} rows[] = {
		{"VmSize:", &counters->virtual_bytes},
		{"VmRSS:", &counters->resident_bytes},
		{"RssAnon:", &counters->rss_anon_bytes},
	};
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			size_t len = strlen(rows[i].name);
			long long kib;

			if (strncmp(line, rows[i].name, len) == 0 &&
			    sscanf(line + len, "%lld", &kib) == 1)
				*rows[i].bytes = kib * 1024;
		}
	if (file)
		fclose(file);
}

/* Without the descriptor that reads the folder. */
static int64_t descriptors_count(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	int64_t count = -1;

	if (!folder)
		return 0;
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

void process_count(struct process_counters *counters_out)
{
	struct rusage usage;
	struct rlimit limit;

	*counters_out = (struct process_counters){0};
	memory_count(counters_out);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		counters_out->cpu_us = usage_us(&usage.ru_utime) + usage_us(&usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		counters_out->most_fds = (int64_t)limit.rlim_cur;
	counters_out->open_fds = descriptors_count();
}
