/* SPDX-License-Identifier: MIT */
/* The answer to a list, shared by
 *
 *	list.c        encodes each record of the page as it is read
 *	  → related.c   the records that these name (expand)
 *	  → pieces.c    what of a long answer is kept, and its later pieces */
#ifndef API_LIST_ANSWER_H
#define API_LIST_ANSWER_H

#include "api_private.h"
#include "lists/lists.h"
#include "records/versions_read.h"

#define ANSWER_BYTES ((size_t)1024 * 1024) /* of an answer that is in memory whole */

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

struct piece_record;

/* What docket keeps of each record of a page while it sends the answer in pieces. */
struct pieces {
	struct piece_record *records;
	size_t first, first_len; /* records in the first piece, and where it ends */
	uint64_t len;            /* of all records, in the answer */
	bool used;               /* the answer goes out in pieces */
	struct buf record;       /* it does: each record is encoded here, for its length */
	/* The current piece. */
	size_t next, end;            /* its records are from `next`, before `end` */
	size_t read_count, read_len; /* how many versions it needs, and its length */
	unsigned tries;
	struct versions_read read;
	struct arena arena; /* of this read */
};

struct list_answer {
	struct list_read read;
	struct call *call;
	struct list_request *request;
	const struct record_type *type;
	struct buf *out; /* what the next record is encoded into */
	struct related related;
	struct buf named; /* of the last record: see related_find() */
	struct pieces pieces;
	size_t count;              /* of records */
	bool one;                  /* a record alone, not a list */
	struct list_position last; /* of the page's last record */
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

/* pieces.c */
/* Begins the answer. If the read runs again, begins the answer again. */
void pieces_begin(struct list_answer *answer);
/* Notes a record that was just encoded. It begins at the offset `begins` of answer->out.
 * ERR_NOMEM. */
enum err pieces_add(struct list_answer *answer, const void *record, size_t begins);
/* Keeps only the first piece of the JSON so far. From now on, no JSON is kept. */
void pieces_use(struct list_answer *answer);
/* Ends the answer after the last record: completes it, or sets it up to be sent in pieces. */
void pieces_end(struct list_answer *answer);

#endif
