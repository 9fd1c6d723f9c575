/* SPDX-License-Identifier: MIT */
/* A line on the terminal that tells how far a long command is; nothing where standard error is no
 * terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "tasks" */
	int64_t total;
	int64_t begun_ms; /* monotonic_ms() */
	int64_t shown_ms;
	bool terminal;
};

void progress_begin(struct progress *progress, const char *what, int64_t total);
void progress_show(struct progress *progress, int64_t done);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
