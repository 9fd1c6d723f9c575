/* SPDX-License-Identifier: MIT */
/* The progress line. Debian has no C library for one. */
#include "cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define BAR 30
#define EVERY_MS 100

void progress_begin(struct progress *progress, const char *what, int64_t total)
{
	*progress = (struct progress){
		.what = what,
		.total = total,
		.begun_ms = monotonic_ms(),
		.terminal = isatty(STDERR_FILENO) && total > 0,
	};
}

void progress_show(struct progress *progress, int64_t done)
{
	static const char full[] = "##############################";
	int64_t now = monotonic_ms(), left;
	int filled;

	if (!progress->terminal || (now - progress->shown_ms < EVERY_MS && done < progress->total))
		return;
	progress->shown_ms = now;
	filled = (int)(done * BAR / progress->total);
	left = done ? (now - progress->begun_ms) * (progress->total - done) / done / 1000 : 0;
	fprintf(stderr, "\r[%-*.*s] %lld of %lld %s, %lld s left \033[K", BAR, filled, full,
		(long long)done, (long long)progress->total, progress->what, (long long)left);
}

void progress_tell(struct progress *progress, const char *what, int64_t done, int64_t total)
{
	if (!progress->what || strcmp(progress->what, what) != 0) {
		progress_end(progress);
		progress_begin(progress, what, total);
	}
	progress_show(progress, done < progress->total ? done : progress->total);
}

void progress_end(struct progress *progress)
{
	if (progress->terminal)
		fputs("\r\033[K", stderr);
}
