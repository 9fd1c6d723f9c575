/* SPDX-License-Identifier: MIT */
/* What the kernel counts for this process. */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include <stdint.h>

/* 0: the kernel does not tell. */
struct process_counters {
	int64_t rss_anon_bytes; /* memory that belongs to this process alone */
	int64_t resident_bytes, virtual_bytes;
	int64_t cpu_us; /* of all threads, in user and kernel mode */
	int64_t open_fds, most_fds;
	int64_t started_ms; /* when the process began to serve, by system_ms() */
};

/* Sets all but `started_ms`. */
void process_count(struct process_counters *counters_out);

#endif
