/* SPDX-License-Identifier: MIT */
/* Pages of a list of records, and how many records a list has.
 *
 *	struct list_read list;
 *
 *	list_read_init(&list, RECORD_TASK, &arena);
 *	list.scope = *scope;
 *	list.query = &query;
 *	list.sink = (struct list_sink){.begin = begin, .on_record = on_task, .context = page};
 *	err = store_do(store, &list.read); */
#ifndef LISTS_LISTS_H
#define LISTS_LISTS_H

#include "model/list.h"
#include "store/store.h"

/* What a list is read into. An error ends the reading and is returned. */
struct list_sink {
	/* Before all else: what an earlier run has brought is void. */
	void (*begin)(void *context);
	/* The records of the page, in order. */
	store_record_fn *on_record;
	/* Before them, each once: what the expansion of that row finds; in no order. */
	enum err (*on_related)(void *context, size_t expansion, const void *record);
	void *context;
};

/* Reads one page of a list, in one snapshot; or with `counts` how many records the conditions of
 * the query hold for, of which the rest does not count. ERR_TIMEOUT past the budget. */
struct list_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	const struct list_query *query;
	struct list_sink sink;
	bool counts;
	bool more;     /* when done: another record follows the page */
	int64_t count; /* when done */
};

void list_read_init(struct list_read *list, enum record_kind kind, struct arena *arena);

#endif
