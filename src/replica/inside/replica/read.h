/* SPDX-License-Identifier: MIT */
/* Reads the generations and segments of a replica, and finds what is damaged. */
#ifndef REPLICA_READ_H
#define REPLICA_READ_H

#include "replica/replica_private.h"

/* A generation that is in the folder. */
struct generation {
	int64_t number;
	char folder[DIR_BYTES];
	struct manifest manifest;
	char damage[REPLICA_WORDS_BYTES]; /* of the manifest; "": it is sound */
};

struct generations {
	struct generation *list; /* in the order of their numbers */
	size_t count;
};

/* Reads the manifests of all complete generations. The caller calls generations_release() also
 * after an error. */
enum err generations_read(const char *dir, struct generations *generations, struct buf *why);
void generations_release(struct generations *generations);

/* The segment of a generation with the highest number; 0: there is none. `open_out`: it was not
 * ended. */
enum err segments_find(const char *folder, int64_t *number_out, bool *open_out, struct buf *why);

/* Gets every commit, in order. An error ends the reading. */
typedef enum err commit_fn(void *context, const struct frame_commit *commit);

/* What a reading has found. */
struct segments_found {
	int64_t segment;                   /* the last one that was read; 0: none */
	bool open;                         /* its name is not final */
	bool ended;                        /* it has the frame that ends it */
	int64_t whole_bytes;               /* of it, up to its last whole frame */
	unsigned char chain[DIGEST_BYTES]; /* the digest of the last frame */
	int64_t last;                      /* the last commit; that of the image if there is none */
	char mark[STORE_MARK_BYTES];       /* of that commit */
	char damage[REPLICA_WORDS_BYTES];  /* where and what; "": none */
	char note[REPLICA_WORDS_BYTES];    /* that the last frame is incomplete; or "" */
};

/* Reads the segments of a generation up to the end or to a damage, which is no error. on_commit
 * gets the commits after the image; ERR_STOPPED from it ends the reading without an error. */
enum err segments_read(const struct generation *generation, commit_fn *on_commit, void *context,
		       struct segments_found *found_out, struct buf *why);

#endif
