/* SPDX-License-Identifier: MIT */
/* Files that must outlast a loss of power: their contents, and the folders that name them. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"

/* Brings a file or a folder to stable storage. ERR_IO; errno says why. */
enum err file_sync(const char *path);

/* The same for the folder that names `path`: only that makes a new name last. */
enum err file_sync_parent(const char *path);

#endif
