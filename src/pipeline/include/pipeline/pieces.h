/* SPDX-License-Identifier: MIT */
/* An answer that has a JSON array of items. If it is longer than ANSWER_BYTES, it goes out in
 * pieces. Each item is encoded when it is read, in one snapshot. docket keeps the first piece, and
 * of every other item what it needs to read it again: its change and its length. When the client
 * has taken a piece, docket reads the next one from the history, which has these changes as they
 * were. So the answer shows one moment, its length is known from the start, and no snapshot stays
 * open.
 *
 *	pieces_begin(&pieces, "[");
 *	json_open_object(pieces.out);
 *	…
 *	pieces_add(&pieces, (struct piece_item){.change = change}, 1);
 *	pieces_end(&pieces, "]");
 */
#ifndef PIPELINE_PIECES_H
#define PIPELINE_PIECES_H

#include "pipeline/pipeline.h"

#define ANSWER_BYTES ((size_t)1024 * 1024) /* of an answer that is in memory whole */
#define ITEMS_PER_WEIGHT 16                /* how many items a read of weight 1 reads */

struct piece_item {
	size_t len; /* in the answer, with its comma */
	/* The caller's own, to read it again. */
	int64_t id, change;
	const uint32_t *named;
	uint32_t versions;
};

struct pieces {
	/* The caller sets these before pieces_begin(). */
	struct call *call;
	size_t limit; /* the most items */
	/* Makes the read of the items from `next`, before `end`, in the arena. NULL: out of
	 * memory. It may be called again for the same items, after the arena was released. */
	struct store_read *(*read)(struct pieces *pieces);
	/* That read is done, with this error: adds the items to `out`, and returns the error.
	 * ERR_CORRUPT if they are not there any more. */
	enum err (*put)(struct pieces *pieces, enum err err);

	struct buf *out; /* the next item is encoded into this */
	size_t count;    /* of items */
	bool used;       /* the answer goes out in pieces */

	struct piece_item *items; /* by their number; those of the first piece are not set */
	size_t next, end;         /* the items of the current piece: from `next`, before `end` */
	struct arena arena;       /* of its read */

	/* pieces.c's own. */
	size_t first, first_len; /* items in the first piece, and where it ends */
	uint64_t len;            /* of the answer so far */
	struct buf item;         /* if `used`: what `out` points to */
	const char *tail;
	size_t piece_len;
	unsigned tries;
	struct store_read *current;
};

/* Begins the answer with `head`. If the read runs again, begins the answer again. */
void pieces_begin(struct pieces *pieces, const char *head);
/* Adds the item that was just encoded, from the offset `begins` of pieces->out. Returns it, for the
 * caller to complete; NULL if it needs not be read again. If memory runs out, pieces->out fails. */
struct piece_item *pieces_add(struct pieces *pieces, struct piece_item item, size_t begins);
/* Keeps only the first piece of the JSON so far. From now on, no JSON is kept. */
void pieces_use(struct pieces *pieces);
/* Ends the answer with `tail`, which lives as long as the request: completes the answer, or sets it
 * up to be sent in pieces. */
void pieces_end(struct pieces *pieces, const char *tail);
/* Frees what only the first read needs. */
void pieces_release(struct pieces *pieces);

#endif
