/* SPDX-License-Identifier: MIT */
/* Who has a data folder. */
#ifndef PLACE_FOLDER_LOCK_H
#define PLACE_FOLDER_LOCK_H

#include "store/state.h"

#define DATABASE "docket.db"
#define LOCK "docket.lock"
#define PATH_BYTES STORE_PATH_BYTES
void folder_path(const char *folder, const char *name, char path[PATH_BYTES]);
/* "cannot WHAT PATH: Permission denied; run this as its owner, NAME", or how to give a file of root
 * to the owner of its folder; `error` is an errno. */
void folder_blame(struct buf *why, const char *what, const char *path, int error);
/* Says what to do with a folder whose database is damaged or missing. */
void folder_advise(const char *folder, struct buf *why);
/* Whether there is a file that can be a database: ERR_CORRUPT where it is empty, ERR_NOT_FOUND. */
enum err folder_find(const char *folder, struct buf *why);
/* Takes the folder for this process, with a database or without. ERR_BUSY where another process has
 * it. */
enum err folder_take(struct store *store, struct buf *why);
/* The same with a database; and to read alone, where the folder may be one that cannot be written:
 * then nobody is kept away from it. */
enum err folder_lock(struct store *store, struct buf *why);
enum err folder_lock_reading(struct store *store, struct buf *why);
void folder_unlock(struct store *store);

#endif
