/* SPDX-License-Identifier: MIT */
/* The mark of a database's state (store/recorder.h). */
#include "place/mark.h"

static enum err mark_row(void *context, const struct db_value *values, size_t count)
{
	struct store *store = context;

	(void)count;
	snprintf(store->mark, sizeof(store->mark), "%.*s", (int)values[0].bytes.len,
		 values[0].bytes.ptr);
	return OK;
}

enum err mark_find(struct store *store)
{
	const struct db_call ask = {.sql = "SELECT value FROM property WHERE name = 'replica'",
				    .on_row = mark_row,
				    .context = store};

	store->mark[0] = '\0';
	return store->driver->run(store->write_db, &ask, 1);
}

enum err mark_take(struct store *store, bool changed)
{
	const struct db_call remove = {.sql = "DELETE FROM property WHERE name = 'replica'"};
	enum err err = mark_find(store);

	if (!err && store->mark[0])
		err = store->driver->run(store->write_db, &remove, 1);
	if (changed)
		store->mark[0] = '\0';
	return err;
}
