/* SPDX-License-Identifier: MIT */
/* The full copy of a database, compressed. */
#ifndef REPLICA_IMAGE_H
#define REPLICA_IMAGE_H

#include "replica/replica_private.h"

/* Compresses the file `from` into the image of the generation in `folder`, and sets image_bytes,
 * database_bytes and image_digest. It asks now and then whether it goes on; if not, ERR_STOPPED. */
enum err image_write(const struct replica_io *io, const char *from, const char *folder,
		     bool (*goes_on)(void *context), void *context, struct manifest *manifest,
		     struct buf *why);

/* Writes the database of an image to `to`, a new file; NULL: only checks it. ERR_CORRUPT, with
 * `why`: the image is damaged. */
enum err image_read(const char *folder, const struct manifest *manifest, const char *to,
		    struct buf *why);

#endif
