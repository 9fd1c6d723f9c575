/* SPDX-License-Identifier: MIT */
/* The lock of a data folder, and messages about its files. */
#ifndef PLACE_FOLDER_LOCK_H
#define PLACE_FOLDER_LOCK_H

#include "store/state.h"

#define DATABASE "docket.db"
#define LOCK "docket.lock"
#define BACKUP DATABASE ".backup"        /* a backup that is being made */
#define REPLICA_COPY DATABASE ".replica" /* a full copy for the replica that is being made */
#define PATH_BYTES STORE_PATH_BYTES
void folder_path(const char *folder, const char *name, char path[PATH_BYTES]);
/* Removes a database of this name, and the files that SQLite made beside it. */
void folder_remove(const char *folder, const char *name);
/* Appends "cannot WHAT PATH: Permission denied; run this as its owner, NAME", or how to give a file
 * of root to the owner of its folder. `error` is an errno. */
void folder_blame(struct buf *why, const char *what, const char *path, int error);
/* Appends what to do with a folder whose database is damaged or missing. */
void folder_advise(const char *folder, struct buf *why);
/* Whether the folder has a file that can be a database. ERR_CORRUPT: it is empty. ERR_NOT_FOUND. */
enum err folder_find(const char *folder, struct buf *why);
/* Locks the folder for this process; it need not have a database. ERR_BUSY: another process has
 * it. */
enum err folder_take(struct store *store, struct buf *why);
/* The same for a folder that must have a database. folder_lock_reading() also takes a folder that
 * cannot be written; it then keeps nobody else away. */
enum err folder_lock(struct store *store, struct buf *why);
enum err folder_lock_reading(struct store *store, struct buf *why);
void folder_unlock(struct store *store);

#endif
