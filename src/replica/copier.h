/* SPDX-License-Identifier: MIT */
/* The thread that makes the full copy of a generation. */
#ifndef REPLICA_COPIER_H
#define REPLICA_COPIER_H

#include "replica/replica_private.h"

struct copier;

/* Copies the store's database into the generation in `folder`, on a thread of its own. `manifest`
 * has its number, its id and the name of the database. `spares`: the copy fails if it leaves less
 * than 16 MiB free in the target. NULL: out of memory. */
struct copier *copier_new(struct store *store, const struct replica_io *io, const char *folder,
			  const struct manifest *manifest, bool spares);
/* Whether the thread has ended. */
bool copier_is_done(struct copier *copier);
/* Asks the thread to end soon. */
void copier_cancel(struct copier *copier);
/* Waits for the thread, and frees it. On success `manifest_out` is complete; release it. */
enum err copier_free(struct copier *copier, struct manifest *manifest_out, struct buf *why);

#endif
