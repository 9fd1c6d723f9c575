/* SPDX-License-Identifier: MIT */
/* Files that must outlast a loss of power: their contents, and the folders that name them. And who
 * owns files: what root makes in the folder of another user belongs to that user, or the service
 * that runs as that user could not open it. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>

#include "base/err.h"

/* Brings a file or a folder to stable storage. ERR_IO; errno says why. */
enum err file_sync(const char *path);

/* The same for the folder that names `path`: only that makes a new name last. */
enum err file_sync_parent(const char *path);

/* Opens a file that must not be there yet (mode 0600, O_EXCL) for reading and writing; root gives
 * it to the owner of its folder. The descriptor, or -1 and errno. */
int file_make(const char *path);

/* The same where an empty file is wanted, in the place of what had the name. ERR_IO; errno. */
enum err file_make_empty(const char *path);

/* Gives a name in the folder `folder`, a descriptor, to the folder's owner where this is root. It
 * does not follow a symbolic link. False and errno where that fails. */
bool file_give(int folder, const char *name);

#define FILE_OWNER_BYTES 64

/* The user name of the owner of `path`, or the number where it has none. Of a path that cannot be
 * looked at, the owner of the nearest folder above it that can. */
void file_owner(const char *path, char name[FILE_OWNER_BYTES]);

#endif
