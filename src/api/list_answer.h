/* SPDX-License-Identifier: MIT */
/* The answer to a list, shared by
 *
 *	list.c        encodes each record of the page as it is read
 *	  → related.c   the records that these name (expand)
 *	  → list_pieces.c    the pieces of a long list */
#ifndef API_LIST_ANSWER_H
#define API_LIST_ANSWER_H

#include "api_private.h"
#include "lists/lists.h"
#include "pipeline/pieces.h"
#include "records/versions_read.h"

/* A record that one of the page names. */
struct related_record {
	size_t expansion;
	int64_t id, change;
	size_t len;         /* of its JSON */
	struct slice json;  /* ptr NULL: there is too much JSON to keep it */
	struct slice after; /* the end of its JSON, which the history does not have */
};

/* All related records of a page. Each has a number, counted from 1; 0 means none. */
struct related {
	const struct record_type *type; /* of the page */
	uint32_t expansions;            /* that were asked for */
	struct related_record *list;
	size_t count, room;
	size_t bytes;       /* of JSON */
	struct arena arena; /* of the JSON, while the page is read */
	bool keeps_all;     /* however much it is */
	bool sorted;
};

struct list_answer {
	struct list_read read;
	struct list_request *request;
	const struct record_type *type;
	struct related related;
	struct buf named; /* of the last record: see related_find() */
	struct pieces pieces;
	struct versions_read versions; /* of the current piece */
	bool one;                      /* a record alone, not a list */
	struct list_position last;     /* of the page's last record */
};

/* related.c */
/* Removes all records, because the read begins again. */
void related_clear(struct related *related);
/* Adds a record that an expansion has read. `expansion` is the row of the expansion. ERR_NOMEM. */
enum err related_add(struct related *related, size_t expansion, const void *record,
		     struct arena *arena);
/* Puts into `named` which records a record refers to: for each expansion their count, then their
 * numbers (uint32_t). */
void related_find(struct related *related, const void *record, struct buf *named);
/* Writes the members of the expansions. `values` has a record from the history for each number in
 * `named` that is not 0. NULL: writes the JSON that was kept, or blanks of the same length. */
void related_put(const struct related *related, const uint32_t *named, const struct slice *values,
		 struct buf *out);

/* list_pieces.c: `read` and `put` of struct pieces. */
struct store_read *list_piece_read(struct pieces *pieces);
enum err list_piece_put(struct pieces *pieces, enum err err);
/* Keeps in `item` which records it refers to: those in answer->named. ERR_NOMEM. */
enum err list_keep_named(struct list_answer *answer, struct piece_item *item);

#endif
