/* SPDX-License-Identifier: MIT */
/* Lists of records: the rows that say what a kind of record can be filtered and sorted by and
 * what can be added to it, and the shape of one question. Knows neither parameters nor SQL. */
#ifndef MODEL_LIST_H
#define MODEL_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/field.h"

enum filter_op {
	FILTER_ANY,      /* equals one of several; or, where the row says so, is none */
	FILTER_FROM,     /* at least */
	FILTER_TO,       /* at most */
	FILTER_CONTAINS, /* has the text in it; the field is stored folded */
	FILTER_IS,       /* is this text */
};

/* One parameter that filters. */
struct filter {
	const char *name;
	const char *also[2]; /* its other names, or NULL */
	const char *field;   /* of the record; hidden ones too */
	enum filter_op op;
	bool none; /* takes `none`: without a value */
	const char *help;
};

/* clang-format off */
#define FROM_TO(prefix, of, what) \
	{.name = prefix "_from", .field = of, .op = FILTER_FROM, .help = what " on or after"}, \
	{.name = prefix "_to", .field = of, .op = FILTER_TO, .help = what " on or before"}

/* What every kind of record can be filtered by; one that has other dates of creation has the first
 * part alone. */
#define RECORD_FILTERS_BY_KEY \
	{.name = "id", .field = "id", .help = "its number"}, \
	{.name = "external_id", .field = "external_id", .op = FILTER_IS, \
	 .help = "the caller's own key"}, \
	FROM_TO("updated", "updated_at", "last changed")
#define RECORD_FILTERS RECORD_FILTERS_BY_KEY, FROM_TO("created", "created_at", "created")
/* clang-format on */

struct sort {
	const char *name;
	const char *field; /* of the record; hidden ones too */
};

/* Related records that can be added to an answer. */
struct expansion {
	const char *name;  /* as a request asks for it */
	const char *key;   /* of the member that is added */
	const char *field; /* FIELD_ID or FIELD_ID_LIST: whose records */
	const struct record_type *type;
};

/* What lists of a kind of record can do. The first sort is the default. */
struct record_lists {
	const struct filter *filters;
	size_t filter_count;
	const struct sort *sorts;
	size_t sort_count;
	const struct expansion *expansions; /* at most 32: those asked for are a bit set */
	size_t expansion_count;
};

/* A filter with what it asks for. */
struct condition {
	const struct field *field;
	enum filter_op op;
	bool none;         /* FILTER_ANY: or without a value */
	int64_t *values;   /* FILTER_ANY: ascending, none twice */
	size_t count;      /* of them */
	int64_t bound;     /* FILTER_FROM, FILTER_TO */
	struct slice text; /* FILTER_CONTAINS: folded, not empty; FILTER_IS: as it was sent */
};

/* Where a record stands in an order: its value of the sort, then its id. */
struct list_position {
	int64_t id;
	bool null;         /* has no value: behind all that have one, in both directions */
	int64_t integer;   /* a date, timestamp or id */
	struct slice text; /* of a text */
};

/* One question. Ties of the sort go by id, in the same direction. */
struct list_query {
	const struct condition *conditions; /* all must hold */
	size_t condition_count;
	const struct field *sort;
	bool descending;
	uint64_t offset; /* records to leave out */
	size_t limit;    /* records wanted, at least 1 */
	/* Only what stands behind it; NULL: from the beginning. */
	const struct list_position *after;
	uint32_t expansions; /* bits of the record_lists' rows */
};

/* Names of expansions with commas between, as bits; "" is none. False where one is not known. */
bool expansions_read(const struct record_lists *lists, struct slice names, uint32_t *bits_out);

/* Where `record` stands in the order of `sort`; a text is not copied. */
struct list_position list_position_of(const void *record, const struct field *sort);

#endif
