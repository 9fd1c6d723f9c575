/* SPDX-License-Identifier: MIT */
/* Files on stable storage. */
#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

enum err file_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd);

	if (fd >= 0)
		close(fd);
	return failed ? ERR_IO : OK;
}

enum err file_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	return file_sync(folder);
}
