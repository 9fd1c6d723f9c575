/* SPDX-License-Identifier: MIT */
/* Writes the segments of one generation. */
#ifndef REPLICA_SEGMENT_H
#define REPLICA_SEGMENT_H

#include "replica/replica_private.h"

/* The caller sets the first part and zeroes the rest. */
struct segments {
	char folder[DIR_BYTES]; /* of the generation */
	unsigned char id[ID_BYTES];
	const struct replica_io *io;

	int fd;                            /* of the segment that is open */
	int64_t number;                    /* of that segment */
	int64_t bytes;                     /* in it */
	int64_t last;                      /* the number of the last commit; -1: none yet */
	unsigned char chain[DIGEST_BYTES]; /* the digest of the last frame */
};

/* Makes the segment after `number`. On an error none is open. */
enum err segments_next(struct segments *segments, struct buf *why);
/* Adds a frame and writes it to stable storage. Sets the digest in `head`. If the segment is large
 * enough then, begins the next one. After an error, call segments_abandon(). */
enum err segments_add(struct segments *segments, struct frame_head *head, struct slice packed,
		      struct buf *why);
/* Fails if the open segment is no longer in the target. */
enum err segments_look(const struct segments *segments, struct buf *why);
/* Ends the open segment: its name is final then. */
enum err segments_end(struct segments *segments, struct buf *why);
/* Gives the segment `number`, which has its last frame, its final name. */
enum err segments_name(const struct segments *segments, struct buf *why);
/* Closes the open segment as it is. */
void segments_abandon(struct segments *segments);

#endif
