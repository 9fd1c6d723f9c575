/* SPDX-License-Identifier: MIT */
/* Lists of records: rows that say by what a kind of record can be filtered and sorted, and which
 * related records can be added; and the query of one list. It knows neither parameters nor SQL. */
#ifndef MODEL_LIST_H
#define MODEL_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/field.h"

enum filter_op {
	FILTER_ANY,      /* equals one of several values, or has none */
	FILTER_FROM,     /* at least */
	FILTER_TO,       /* at most */
	FILTER_CONTAINS, /* contains the text; the field is stored folded */
	FILTER_IS,       /* is this text, as it was sent; the field is not stored folded */
};

/* One parameter that filters. */
struct filter {
	const char *name;
	const char *also[2]; /* its other names, or NULL */
	const char *field;   /* of the record; hidden ones too */
	enum filter_op op;
	bool none;        /* takes `none`: has no value */
	const char *help; /* which records it lists: "that are …" */
};

/* clang-format off */
#define FROM_TO(prefix, of, what) \
	{.name = prefix "_from", .field = of, .op = FILTER_FROM, .help = what " then or later"}, \
	{.name = prefix "_to", .field = of, .op = FILTER_TO, .help = what " then or earlier"}

/* The filters of every kind of record. Cases have a created_on of their own, and only take the
 * first part. */
#define RECORD_FILTERS_BY_KEY \
	{.name = "id", .field = "id", .help = "with one of these ids"}, \
	{.name = "external_id", .field = "external_id", .op = FILTER_IS, \
	 .help = "with this external id"}, \
	FROM_TO("updated", "updated_at", "that were last changed")
#define RECORD_FILTERS RECORD_FILTERS_BY_KEY, FROM_TO("created", "created_at", "that were created")
/* clang-format on */

struct sort {
	const char *name;
	const char *field; /* of the record; hidden ones too */
};

/* Related records that can be added to an answer. */
struct expansion {
	const char *name;  /* in the parameter expand */
	const char *key;   /* of the member in the answer */
	const char *field; /* names the records; FIELD_ID or FIELD_ID_LIST */
	const struct record_type *type;
};

/* The lists of a kind of record. The first sort is the default. */
struct record_lists {
	const struct filter *filters;
	size_t filter_count;
	const struct sort *sorts;
	size_t sort_count;
	const struct expansion *expansions; /* at most 32, because a set of them is bits */
	size_t expansion_count;
};

/* A filter with its values. */
struct condition {
	const struct field *field;
	enum filter_op op;
	bool none;         /* FILTER_ANY: or has no value */
	int64_t *values;   /* FILTER_ANY: ascending, none twice */
	size_t count;      /* of `values` */
	int64_t bound;     /* FILTER_FROM, FILTER_TO */
	struct slice text; /* FILTER_CONTAINS: folded, not empty; FILTER_IS: as sent */
};

/* The position of a record in an order: its value of the sort, then its id. */
struct list_position {
	int64_t id;
	bool null;         /* no value: after all records with one, in both directions */
	int64_t integer;   /* a date, timestamp or id */
	struct slice text; /* of a text */
};

/* The query of a list. Records with the same value of the sort are sorted by id, in the same
 * direction. */
struct list_query {
	const struct condition *conditions; /* all must hold */
	size_t condition_count;
	const struct field *sort;
	bool descending;
	uint64_t offset; /* records to leave out */
	size_t limit;    /* records wanted, at least 1 */
	/* Only records after this; NULL: from the beginning. */
	const struct list_position *after;
	uint32_t expansions; /* bits of the record_lists' rows */
};

/* Reads a comma list of expansions into bits; "" is none. False: a name is unknown. */
bool expansions_read(const struct record_lists *lists, struct slice names, uint32_t *bits_out);

/* The position of `record` in the order of `sort`. A text is not copied. */
struct list_position list_position_of(const void *record, const struct field *sort);

#endif
