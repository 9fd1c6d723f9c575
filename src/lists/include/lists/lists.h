/* SPDX-License-Identifier: MIT */
/* Reads a page of a list of records, or counts the records of a list.
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

/* Gets the records of a page. An error of a function ends the read and is its outcome. */
struct list_sink {
	/* Called first: drops what an earlier run brought. */
	void (*begin)(void *context);
	/* Called for each record of the page, in order. */
	store_record_fn *on_record;
	/* Called in its place for a record that is in the cache of records. Without expansions, and
	 * for the last record of the page only if the page is sorted by id. NULL: every record is
	 * read. */
	enum err (*on_cached)(void *context, const struct cached_record *record);
	/* Called before on_record, in no order, once for each record that an expansion finds.
	 * `expansion`: the row of the record's expansions. */
	enum err (*on_related)(void *context, size_t expansion, const void *record);
	void *context;
};

/* Reads one page of a list, in one snapshot. With `counts` it only counts the records for which the
 * conditions of the query hold, and ignores the rest of the query. ERR_TIMEOUT: it took longer than
 * the time limit. */
struct list_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	const struct list_query *query;
	struct list_sink sink;
	bool counts;
	bool more;     /* once done: more records follow the page */
	int64_t count; /* once done, with `counts` */
};

void list_read_init(struct list_read *list, enum record_kind kind, struct arena *arena);

#endif
