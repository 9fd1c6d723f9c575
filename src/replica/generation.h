/* SPDX-License-Identifier: MIT */
/* Begins, completes and removes generations. */
#ifndef REPLICA_GENERATION_H
#define REPLICA_GENERATION_H

#include "segment.h"

/* Locks the target for this process, by a descriptor. A filesystem without locks gives no such
 * protection. ERR_BUSY: another process writes there. */
enum err target_lock(const char *dir, int *fd_out, struct buf *why);

/* The name that replica_start() gave the database; "": it has none yet. */
enum err database_read_name(struct store *store, char name[HEX_BYTES(ID_BYTES)]);

/* Begins an unfinished generation, after the highest number in `dir`, and opens its first segment.
 * Removes what an earlier attempt has left. */
enum err generation_begin(const char *dir, struct manifest *manifest, struct segments *segments,
			  struct buf *why);

/* Removes a folder with its files. It has no folders. */
enum err generation_remove(const char *path, struct buf *why);

/* Gives a generation with its image the manifest and its final name. After an error it has the
 * name of an unfinished one. */
enum err generation_finish(const char *dir, const struct manifest *manifest,
			   struct segments *segments, struct buf *why);

/* Opens the newest generation for more segments, if its last commit has this mark and it is whole.
 * ERR_NOT_FOUND: it has not, or there is none. ERR_EXISTS, with `why`: it is of another database.
 * `schema`: that of the database. `mark` "": no generation has it. */
enum err generation_resume(const char *dir, const char *database, const char *mark, int64_t schema,
			   struct manifest *manifest_out, struct segments *segments,
			   struct buf *why);

/* Removes the oldest generations beyond the newest `keep`. Errors are logged. */
void generations_prune(const char *dir, unsigned keep);

/* Checks that the target has room for a full copy as large as the last one, and 64 MiB. If not,
 * removes the generation that would go after the copy, if the newest is sound. It never removes
 * the newest. ERR_FULL, with `why`: there is still too little room. */
enum err generations_make_room(const char *dir, unsigned keep, struct buf *why);

#endif
