/* SPDX-License-Identifier: MIT */
/* Reports progress, and copies files. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include "base/file.h"
#include "base/clock.h"

#define TELL_MS 100
#define BLOCK_BYTES (256 * 1024)

bool watch_tell(struct watch *watch, const char *what, int64_t done, int64_t total)
{
	int64_t now = monotonic_ms();

	watch->what = what;
	watch->done = done;
	watch->total = total;
	if (watch->stopped || now - watch->told_ms < TELL_MS)
		return !watch->stopped;
	watch->told_ms = now;
	watch->stopped = !watch->on_progress(watch->context, what, done, total);
	return !watch->stopped;
}

bool watch_must_stop(void *context)
{
	struct watch *watch = context;

	return !watch_tell(watch, watch->what, watch->done, watch->total);
}

enum err file_copy(int from, int to, struct watch *watch)
{
	char *block = malloc(BLOCK_BYTES);
	struct stat status;
	int64_t done = 0;
	ssize_t got = -1;
	enum err err = block && fstat(from, &status) == 0 ? OK : ERR_IO;

	while (!err && (got = read(from, block, BLOCK_BYTES)) > 0) {
		if (!file_write_all(to, (struct slice){block, (size_t)got}))
			err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
		done += got;
		if (!err && !watch_tell(watch, "bytes", done, status.st_size))
			err = ERR_STOPPED;
	}
	free(block);
	return err ? err : got < 0 ? ERR_IO : OK;
}
