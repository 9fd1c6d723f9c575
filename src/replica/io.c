/* SPDX-License-Identifier: MIT */
/* Writes to files of a replica. */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "replica/replica_private.h"

enum err replica_blame(struct buf *why, const char *what, const char *path)
{
	int error = errno;

	buf_printf(why, "cannot %s %s: %s", what, path, strerror(error));
	return error == ENOSPC || error == EDQUOT ? ERR_FULL : ERR_IO;
}

static int system_sync(int fd)
{
	return fdatasync(fd);
}

const struct replica_io replica_system_io = {write, system_sync};

bool io_write_all(const struct replica_io *io, int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t written = io->write(fd, at, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written ? errno : EIO;
			return false;
		}
		at += written;
		len -= (size_t)written;
	}
	return true;
}

enum err folder_sync(const char *path, struct buf *why)
{
	return file_sync(path) ? replica_blame(why, "write", path) : OK;
}
