/* SPDX-License-Identifier: MIT */
/* Brings the titles that wait into the text index. */
#include "sql/titles.h"

#include "sql/dialect.h"

#define WAITING_MAX 1024 /* titles that may wait after a batch */
#define STEP 256         /* titles that one step brings into the index */

static enum err titles_count(const struct text_index *index, struct db *db, int64_t *waiting)
{
	const struct db_call count = {
		.sql = index->pending.count, .on_row = db_number, .context = waiting};

	return db->driver->run(db, &count, 1);
}

enum err titles_list_step(struct db *db, struct calls *calls)
{
	const struct text_index *index = sql_dialect(db->driver)->text_index;
	int64_t waiting = 0;
	enum err err = index ? titles_count(index, db, &waiting) : OK;

	if (err || waiting < WAITING_MAX)
		return err;
	return text_index_take(index, waiting - WAITING_MAX + STEP, calls);
}

enum err titles_run_step(struct db *db, bool *more_out)
{
	const struct text_index *index = sql_dialect(db->driver)->text_index;
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	int64_t waiting = 0;
	enum err err = OK;

	*more_out = false;
	if (index) {
		db->driver->set_budget(db, 0);
		err = titles_count(index, db, &waiting);
	}
	if (!err && waiting)
		err = text_index_take(index, STEP, &calls);
	if (!err && waiting)
		err = db->driver->begin(db);
	if (!err && waiting)
		err = db->driver->commit(db, calls.list, calls.count);
	*more_out = !err && waiting > STEP;
	arena_release(&arena);
	return err;
}
