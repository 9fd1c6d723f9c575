/* SPDX-License-Identifier: MIT */
/* The file that a backup becomes. It gets its name only when it is complete and on stable
 * storage. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include "base/file.h"
#include "rotation.h"

/* Whether a folder is the data folder or is in it. `folder` is a descriptor. */
static bool is_in_data(int folder, const char *data)
{
	struct stat wanted, here, above;
	int at = dup(folder);
	bool in = false, top = stat(data, &wanted) != 0;

	while (at >= 0 && !in && !top && fstat(at, &here) == 0) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		in = here.st_dev == wanted.st_dev && here.st_ino == wanted.st_ino;
		top = up < 0 || fstat(up, &above) != 0 ||
		      (above.st_dev == here.st_dev && above.st_ino == here.st_ino);
		close(at);
		at = up;
	}
	if (at >= 0)
		close(at);
	return in;
}

/* Splits the path into the folder and the name. */
static enum err destination_name(struct destination *destination, const char *path,
				 char folder[PATH_BYTES], struct buf *why)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? strlen(slash + 1) : 0;

	if (!len || len + strlen(PART) > NAME_MAX || strlen(path) >= PATH_BYTES) {
		buf_printf(why, "%s cannot be the name of a backup: it is %s", path,
			   len ? "too long" : "a folder");
		return ERR_INVALID;
	}
	snprintf(destination->path, sizeof(destination->path), "%s", path);
	snprintf(destination->name, sizeof(destination->name), "%s", slash + 1);
	snprintf(destination->part, sizeof(destination->part), "%s" PART, slash + 1);
	snprintf(folder, PATH_BYTES, "%.*s", (int)(slash - path + 1), path);
	return OK;
}

/* Whether files can be made in the folder, and it is not in the data folder. */
static enum err folder_check(int fd, const char *folder, const char *path, const char *data,
			     struct buf *why)
{
	if (is_in_data(fd, data)) {
		buf_printf(why,
			   "%s is in the data folder: a backup must be elsewhere, best on another "
			   "disk",
			   path);
		return ERR_INVALID;
	}
	if (!faccessat(fd, ".", W_OK | X_OK, AT_EACCESS))
		return OK;
	folder_blame(why, "make files in", folder, errno);
	return ERR_IO;
}

/* -1, with a message: there is none. */
static int folder_open(const char *folder, struct buf *why)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		buf_printf(why, "there is no folder %s: make it first", folder);
	else if (fd < 0)
		folder_blame(why, "open the folder", folder, errno);
	return fd;
}

enum err backup_check_folder(const char *folder, const char *data, struct buf *why)
{
	int fd = folder_open(folder, why);
	enum err err = fd < 0 ? ERR_IO : folder_check(fd, folder, folder, data, why);

	if (fd >= 0)
		close(fd);
	return err;
}

enum err backup_find_target(const char *to, char path[STORE_PATH_BYTES], bool *folder_out,
			    struct buf *why)
{
	const char *slash = strrchr(to, '/');
	struct stat status;
	bool folder = stat(to, &status) == 0 && S_ISDIR(status.st_mode);
	const char *name = folder ? "" : slash ? slash + 1 : to;
	char *above = folder  ? strdup(to)
		      : slash ? strndup(to, (size_t)(slash - to + 1))
			      : strdup(".");
	char *real = above ? realpath(above, NULL) : NULL;
	enum err err = OK;

	if (!real) {
		buf_printf(why, "there is no folder %s: %s", above ? above : to, strerror(errno));
		err = ERR_NOT_FOUND;
	} else if (snprintf(path, STORE_PATH_BYTES, "%s%s%s", real,
			    folder || strcmp(real, "/") == 0 ? "" : "/",
			    name) >= STORE_PATH_BYTES) {
		buf_printf(why, "%s is too long for a backup", to);
		err = ERR_INVALID;
	}
	*folder_out = folder;
	free(above);
	free(real);
	return err;
}

static bool is_one_disk(int folder, const char *data)
{
	struct stat here, there;

	return fstat(folder, &here) == 0 && stat(data, &there) == 0 && here.st_dev == there.st_dev;
}

static enum err destination_check(const struct destination *destination, const char *folder,
				  const char *data, int64_t bytes, struct buf *why)
{
	int64_t has;
	struct stat found;
	enum err err = folder_check(destination->folder, folder, destination->path, data, why);

	if (err)
		return err;
	if (fstatat(destination->folder, destination->name, &found, AT_SYMLINK_NOFOLLOW) == 0) {
		buf_printf(why, "%s exists already: a backup never replaces a file",
			   destination->path);
		return ERR_EXISTS;
	}
	if (!file_free_bytes(folder, &has) && has < bytes) {
		buf_printf(why, "a backup needs %lld MiB in %s, and %lld MiB are free",
			   (long long)bytes / MIB + 1, folder, (long long)has / MIB);
		return ERR_FULL;
	}
	return OK;
}

enum err destination_open(struct destination *destination, const char *path, const char *data,
			  int64_t bytes, bool beside_copy, struct buf *why)
{
	struct destination opened = {.folder = -1};
	char folder[PATH_BYTES];
	enum err err = destination_name(&opened, path, folder, why);

	if (err)
		return err;
	opened.folder = folder_open(folder, why);
	if (opened.folder < 0)
		return ERR_IO;
	if (beside_copy && is_one_disk(opened.folder, data))
		bytes *= 2;
	err = destination_check(&opened, folder, data, bytes, why);
	if (err)
		destination_close(&opened);
	else
		*destination = opened;
	return err;
}

static enum err destination_fail(const struct destination *destination, const char *what, int error,
				 struct buf *why)
{
	buf_printf(why, "cannot %s %s: %s", what, destination->path, strerror(error));
	return error == ENOSPC || error == EDQUOT ? ERR_FULL : ERR_IO;
}

/* Opens the part, and locks it: another docket may write to a file of this name. A process that was
 * killed may have left one. -1 and errno. */
static int part_open(const struct destination *destination)
{
	int fd = openat(destination->folder, destination->part,
			O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* Some network filesystems have no locks. */
	if (fd >= 0 && ((flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) ||
			ftruncate(fd, 0) || fchmod(fd, 0600))) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Some filesystems cannot rename without replacing. There nothing had the name a moment ago. */
static bool destination_rename(const struct destination *destination, int folder, const char *from)
{
	if (renameat2(folder, from, destination->folder, destination->name, RENAME_NOREPLACE) == 0)
		return true;
	return (errno == EINVAL || errno == ENOSYS) &&
	       faccessat(destination->folder, destination->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	       renameat(folder, from, destination->folder, destination->name) == 0;
}

/* Fills the part, and gives it its name. The lock is held until then. */
static enum err part_fill(const struct destination *destination, int in, int out,
			  struct watch *watch, struct buf *why)
{
	enum err err = file_copy(in, out, watch);

	if (err == ERR_STOPPED)
		buf_add_text(why, "the backup was broken off");
	else if (err)
		err = destination_fail(destination, "write", errno, why);
	/* A network filesystem may report only here that it is full. */
	if (!err && fsync(out))
		err = destination_fail(destination, "write", errno, why);
	if (!err && (!file_give(destination->folder, destination->part) ||
		     !destination_rename(destination, destination->folder, destination->part)))
		err = destination_fail(destination, "make", errno, why);
	if (err)
		unlinkat(destination->folder, destination->part, 0);
	return err;
}

static enum err folder_sync(const struct destination *destination, struct buf *why)
{
	return fsync(destination->folder) ? destination_fail(destination, "write", errno, why) : OK;
}

enum err destination_copy(const struct destination *destination, int from, struct watch *watch,
			  struct buf *why)
{
	int out = part_open(destination);
	enum err err = out < 0 ? destination_fail(destination, "make", errno, why)
			       : part_fill(destination, from, out, watch, why);

	if (out >= 0)
		close(out);
	return err ? err : folder_sync(destination, why);
}

static enum err destination_move(struct destination *destination, const char *from,
				 struct watch *watch, struct buf *why)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	enum err err = in < 0 ? destination_fail(destination, "make", errno, why)
			      : destination_copy(destination, in, watch, why);

	if (in >= 0)
		close(in);
	unlink(from);
	return err;
}

enum err destination_put(struct destination *destination, const char *from, struct watch *watch,
			 struct buf *why)
{
	enum err err = file_sync(from) ? destination_fail(destination, "write", errno, why) : OK;

	if (err)
		return err;
	/* On the same filesystem the file only needs another name. */
	if (!destination_rename(destination, AT_FDCWD, from))
		return errno == EEXIST ? destination_fail(destination, "make", errno, why)
				       : destination_move(destination, from, watch, why);
	if (!file_give(destination->folder, destination->name))
		return destination_fail(destination, "give away", errno, why);
	return folder_sync(destination, why);
}

void destination_close(struct destination *destination)
{
	if (destination->folder >= 0)
		close(destination->folder);
	destination->folder = -1;
}
