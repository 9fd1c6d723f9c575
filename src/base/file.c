/* SPDX-License-Identifier: MIT */
/* Files on stable storage, and who owns them. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The folder that `path` is in. */
static void path_parent(const char *path, char folder[PATH_BYTES])
{
	const char *slash = strrchr(path, '/');

	snprintf(folder, PATH_BYTES, "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
}

enum err file_sync_at(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd);

	if (fd >= 0)
		close(fd);
	return failed ? ERR_IO : OK;
}

enum err file_sync(const char *path)
{
	return file_sync_at(AT_FDCWD, path);
}

enum err file_sync_parent(const char *path)
{
	char folder[PATH_BYTES];

	path_parent(path, folder);
	return file_sync(folder);
}

int file_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char folder[PATH_BYTES];
	struct stat status;
	int failed = 0, error;

	if (fd < 0 || geteuid() != 0)
		return fd;
	path_parent(path, folder);
	failed = stat(folder, &status) || fchown(fd, status.st_uid, status.st_gid);
	if (!failed)
		return fd;
	error = errno;
	close(fd);
	unlink(path);
	errno = error;
	return -1;
}

enum err file_make_empty(const char *path)
{
	int fd;

	unlink(path);
	fd = file_make(path);
	if (fd < 0)
		return ERR_IO;
	close(fd);
	return OK;
}

bool file_give(int folder, const char *name)
{
	struct stat status;

	return geteuid() != 0 ||
	       (fstat(folder, &status) == 0 &&
		fchownat(folder, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) == 0);
}

void file_owner(const char *path, char name[FILE_OWNER_BYTES])
{
	char at[PATH_BYTES], text[1024];
	struct passwd entry, *found = NULL;
	struct stat status = {0};
	size_t len;

	snprintf(at, sizeof(at), "%s", path);
	while (stat(at, &status) && (errno == EACCES || errno == ENOENT || errno == ENOTDIR)) {
		len = strlen(at);
		while (len > 1 && at[len - 1] == '/')
			at[--len] = '\0';
		if (!strcmp(at, "/") || !strcmp(at, "."))
			break;
		while (len && at[len - 1] != '/')
			len--;
		snprintf(at + len, sizeof(at) - len, "%s", len ? "" : ".");
	}
	if (getpwuid_r(status.st_uid, &entry, text, sizeof(text), &found) || !found)
		snprintf(name, FILE_OWNER_BYTES, "%lu", (unsigned long)status.st_uid);
	else
		snprintf(name, FILE_OWNER_BYTES, "%s", entry.pw_name);
}

bool file_write_all(int fd, struct slice bytes)
{
	while (bytes.len) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes.ptr += written;
		bytes.len -= (size_t)written;
	}
	return true;
}

enum err file_free_bytes(const char *path, int64_t *bytes_out)
{
	struct statvfs disk;

	if (statvfs(path, &disk))
		return ERR_IO;
	*bytes_out = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	return OK;
}

enum err file_write_whole(const char *path, struct slice bytes)
{
	char part[PATH_BYTES];
	bool written;
	int fd, error;

	snprintf(part, sizeof(part), "%s.part", path);
	unlink(part);
	fd = file_make(part);
	if (fd < 0)
		return ERR_IO;
	written = file_write_all(fd, bytes) && fsync(fd) == 0;
	error = errno;
	close(fd);
	if (written && rename(part, path) == 0)
		return file_sync_parent(path);
	error = written ? errno : error;
	unlink(part);
	errno = error;
	return ERR_IO;
}

enum err file_read_whole(const char *path, size_t most, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && out->len <= most && buf_reserve(out, 65536)) {
		got = read(fd, &out->ptr[out->len], 65536);
		out->len += got > 0 ? (size_t)got : 0;
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	if (out->failed)
		return ERR_NOMEM;
	if (got >= 0)
		return OK;
	return fd < 0 && errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}
