/* SPDX-License-Identifier: MIT */
/* Files that must survive a loss of power: their contents and the folders that name them. Also the
 * owners of files: a file that root makes in another user's folder is given to that user, because a
 * service that runs as that user has to open it. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes a file or a folder to stable storage: fsync(2). ERR_IO; errno says why. */
enum err file_sync(const char *path);

/* The same for the file `name` in `folder`, a descriptor. */
enum err file_sync_at(int folder, const char *name);

/* The same for the folder that `path` is in. Only then a new name survives a loss of power. */
enum err file_sync_parent(const char *path);

/* Makes a file that must not exist yet (mode 0600, O_EXCL), open for reading and writing. If this
 * process is root's, the file is given to the owner of its folder. Returns the descriptor, or -1
 * and errno. */
int file_make(const char *path);

/* Makes an empty file in the same way and replaces the file of that name. ERR_IO; errno says
 * why. */
enum err file_make_empty(const char *path);

/* Writes all bytes to a descriptor. False and errno if that fails. */
bool file_write_all(int fd, struct slice bytes);

#define MIB (1 << 20) /* for messages about room */
/* How many bytes are free, for this process, on the disk that `path` is on. ERR_IO and errno. */
enum err file_free_bytes(const char *path, int64_t *bytes_out);

/* Writes a file (mode 0600) on stable storage, and replaces the file of that name when it is
 * complete. ERR_IO; errno says why. */
enum err file_write_whole(const char *path, struct slice bytes);

/* Appends the contents of a file to `out`, but not much more than `most` bytes. ERR_NOT_FOUND,
 * ERR_NOMEM, or ERR_IO with errno. */
enum err file_read_whole(const char *path, size_t most, struct buf *out);

/* If this process is root's, gives the file `name` in `folder`, a descriptor, to the folder's
 * owner. It does not follow a symbolic link. False and errno if that fails. */
bool file_give(int folder, const char *name);

#define FILE_OWNER_BYTES 64

/* Writes the name of the user who owns `path`, or the user's number if there is no name. If stat(2)
 * fails for `path`, takes the owner of the nearest folder above it for which stat(2) succeeds. */
void file_owner(const char *path, char name[FILE_OWNER_BYTES]);

#endif
