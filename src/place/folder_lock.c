/* SPDX-License-Identifier: MIT */
/* Locks a data folder for this process, or says why that fails and what to do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mount.h"
#include "place/folder_lock.h"

void folder_path(const char *folder, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

void folder_remove(const char *folder, const char *name)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < FIELD_COUNT(ends); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", folder, name, ends[i]);
		unlink(path);
	}
}

/* Whether root owns a file in the folder of another user: an older version made it when it ran as
 * root. */
static bool left_by_root(const char *path, char folder[PATH_BYTES])
{
	struct stat file, around;
	char *slash;

	snprintf(folder, PATH_BYTES, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	return slash && stat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_uid == 0 &&
	       stat(folder, &around) == 0 && around.st_uid != 0;
}

void folder_blame(struct buf *why, const char *what, const char *path, int error)
{
	char owner[FILE_OWNER_BYTES], folder[PATH_BYTES];

	buf_printf(why, "cannot %s %s: %s", what, path, strerror(error));
	if (error != EACCES && error != EPERM)
		return;
	if (left_by_root(path, folder)) {
		file_owner(folder, owner);
		buf_printf(why,
			   "; it belongs to root: give it to the owner of the folder with "
			   "\"chown %s %s\"",
			   owner, path);
		return;
	}
	file_owner(path, owner);
	buf_printf(why, "; run this as its owner, %s", owner);
}

/* The name of the copy from before the latest migration; false: there is none. The numbers in the
 * names have four digits. */
static bool folder_newest_copy(const char *folder, char name[PATH_BYTES])
{
	static const char copies[] = DATABASE ".before-";
	const struct dirent *entry;
	DIR *files = opendir(folder);

	*name = '\0';
	while (files && (entry = readdir(files))) {
		const char *number = entry->d_name + strlen(copies);

		if (strncmp(entry->d_name, copies, strlen(copies)) == 0 &&
		    strspn(number, "0123456789") == 4 && !number[4] &&
		    strcmp(entry->d_name, name) > 0)
			snprintf(name, PATH_BYTES, "%s", entry->d_name);
	}
	if (files)
		closedir(files);
	return *name;
}

void folder_advise(const char *folder, struct buf *why)
{
	char name[PATH_BYTES];

	buf_printf(why, "%sStop docket, keep the folder as it is, and restore a backup",
		   why->len ? ". " : "");
	if (folder_newest_copy(folder, name))
		buf_printf(why, "; %s is a copy from before an upgrade", name);
}

enum err folder_find(const char *folder, struct buf *why)
{
	char path[PATH_BYTES], name[PATH_BYTES];
	struct stat status;

	folder_path(folder, DATABASE, path);
	if (stat(path, &status) == 0) {
		if (S_ISREG(status.st_mode) && status.st_size > 0)
			return OK;
		buf_printf(why, "%s is not a database: it is %s", path,
			   S_ISREG(status.st_mode) ? "empty" : "not a file");
		folder_advise(folder, why);
		return ERR_CORRUPT;
	}
	if (errno != ENOENT && errno != ENOTDIR) {
		folder_blame(why, "look into", folder, errno);
		return ERR_IO;
	}
	buf_printf(why, "there is no database in %s", folder);
	if (folder_newest_copy(folder, name))
		folder_advise(folder, why);
	else
		buf_printf(why, ": make one with \"docket init --data %s\"", folder);
	return ERR_NOT_FOUND;
}

static enum err folder_refuse_network(const struct store *store, struct buf *why)
{
	const char *folder = store->config.folder;
	const char *name = store->config.network_folder ? NULL : mount_network_of(folder);

	if (!name)
		return OK;
	buf_printf(
		why,
		"%s is on a network filesystem (%s), where the database can be damaged: SQLite "
		"needs reliable locks and shared memory. Keep the folder on a local disk, or use "
		"PostgreSQL (--database); --allow-network-folder opens it anyway",
		folder, name);
	return ERR_IO;
}

/* Opens the lock file, and makes it if it is missing. */
static int lock_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = file_make(path);
	/* Another process has made it meanwhile. */
	return fd < 0 && errno == EEXIST ? open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC) : fd;
}

/* Locks the file. The kernel releases the lock however the process ends. */
static enum err lock_hold(struct store *store, int fd, const char *path, struct buf *why)
{
	enum err err = OK;

	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
		if (err == ERR_BUSY)
			buf_printf(why, "%s is in use by another docket process",
				   store->config.folder);
		else
			buf_printf(why, "cannot lock %s: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	store->lock = fd;
	store->unchanging = true;
	return OK;
}

enum err folder_take(struct store *store, struct buf *why)
{
	enum err err = folder_refuse_network(store, why);
	char path[PATH_BYTES];
	int fd;

	if (err)
		return err;
	folder_path(store->config.folder, LOCK, path);
	fd = lock_open(path);
	if (fd >= 0)
		return lock_hold(store, fd, path, why);
	err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	folder_blame(why, "open", path, errno);
	return err;
}

enum err folder_lock(struct store *store, struct buf *why)
{
	enum err err = folder_find(store->config.folder, why);

	return err ? err : folder_take(store, why);
}

enum err folder_lock_reading(struct store *store, struct buf *why)
{
	enum err err = folder_find(store->config.folder, why);
	char path[PATH_BYTES];
	int fd;

	if (!err)
		err = folder_refuse_network(store, why);
	if (err)
		return err;
	folder_path(store->config.folder, LOCK, path);
	fd = lock_open(path);
	if (fd < 0 && (errno == EROFS || errno == EACCES))
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return lock_hold(store, fd, path, why);
	/* Without a lock file this process cannot keep others away; folder_changed() sees whether
	 * they write. */
	store->unchanging = errno == EROFS || errno == EACCES || errno == ENOENT;
	if (store->unchanging)
		return OK;
	folder_blame(why, "open", path, errno);
	return ERR_IO;
}

void folder_unlock(struct store *store)
{
	if (store->lock >= 0)
		close(store->lock);
	store->lock = -1;
}
