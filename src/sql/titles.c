/* SPDX-License-Identifier: MIT */
/* Brings the titles that wait into the text index. */
#include "sql/titles.h"

#include "base/clock.h"
#include "sql/dialect.h"

#define WAITING_MAX 1024 /* titles that may wait after a batch */
#define STEP 256         /* titles that a step brings in, and those that it must */
/* Between two looks at the clock: each takes less than 1 ms. */
#define CHUNK 32      /* titles */
#define MERGE_PAGES 8 /* pages of the index */

static enum err titles_count(const struct text_index *index, struct db *db, int64_t *waiting)
{
	const struct db_call count = {
		.sql = index->pending.count, .on_row = db_number, .context = waiting};

	return db->driver->run(db, &count, 1);
}

/* Titles that are brought in together. */
struct chunk {
	const struct text_index *index;
	struct calls calls;
	int64_t account_id, id; /* of the last one */
	int64_t count;
};

/* Lists a statement on the text; NULL: there is nothing to do. */
static enum err chunk_add(struct chunk *chunk, const char *sql, const struct db_value *text)
{
	const char *copy;

	if (text->type == DB_NULL)
		return OK;
	copy = arena_copy(chunk->calls.arena, text->bytes);
	if (!copy)
		return ERR_NOMEM;
	return calls_ask(&chunk->calls, sql, NULL, NULL, DB_INT_VALUE(chunk->account_id),
			 DB_INT_VALUE(chunk->id),
			 DB_TEXT_VALUE(((struct slice){copy, text->bytes.len})));
}

/* The statement that removes a text must come right before the one that inserts a text of the same
 * record: else FTS5 writes what it has so far. */
static enum err chunk_row(void *context, const struct db_value *values, size_t count)
{
	struct chunk *chunk = context;
	enum err err;

	(void)count;
	chunk->account_id = values[0].integer;
	chunk->id = values[1].integer;
	chunk->count++;
	err = chunk_add(chunk, chunk->index->remove, &values[2]);
	return err ? err : chunk_add(chunk, chunk->index->insert, &values[3]);
}

static enum err chunk_take(const struct text_index *index, struct db *db, int64_t *count_out)
{
	struct arena arena = {0};
	struct chunk chunk = {.index = index, .calls = {.arena = &arena}};
	const struct db_value rows = DB_INT_VALUE(CHUNK);
	const struct db_call first = {.sql = index->pending.first,
				      .args = &rows,
				      .arg_count = 1,
				      .on_row = chunk_row,
				      .context = &chunk};
	enum err err = db->driver->run(db, &first, 1);

	if (!err && chunk.count)
		err = calls_ask(&chunk.calls, index->pending.forget, NULL, NULL,
				DB_INT_VALUE(chunk.account_id), DB_INT_VALUE(chunk.id));
	if (!err)
		err = db->driver->run(db, chunk.calls.list, chunk.calls.count);
	arena_release(&arena);
	*count_out = chunk.count;
	return err;
}

static enum err titles_merge(const struct text_index *index, struct db *db, bool *unmerged)
{
	int64_t before = 0, after = 0;
	const struct db_value pages = DB_INT_VALUE(MERGE_PAGES);
	const struct db_call calls[] = {
		{.sql = index->changes, .on_row = db_number, .context = &before},
		{.sql = index->merge, .args = &pages, .arg_count = 1},
		{.sql = index->changes, .on_row = db_number, .context = &after}};
	enum err err = db->driver->run(db, calls, COUNT_OF(calls));

	*unmerged = err || after - before >= 2;
	return err;
}

/* Brings in at least `least` titles, if so many wait, and others while there is time. Half of the
 * time is for merging. A step that must bring in many may merge longer. */
static enum err titles_take(const struct text_index *index, struct db *db, int64_t least,
			    int64_t budget_us, bool *unmerged, int64_t *taken_out)
{
	const struct db_call no_merge = {.sql = index->no_merge};
	const int64_t began = monotonic_us();
	const int64_t until = began + budget_us * (1 + least / STEP);
	int64_t taken = 0, count = CHUNK;
	enum err err = db->driver->run(db, &no_merge, 1);

	while (!err && count == CHUNK && taken < least + STEP &&
	       (taken < least || !taken || monotonic_us() < began + budget_us / 2)) {
		err = chunk_take(index, db, &count);
		taken += count;
	}
	do
		err = err ? err : titles_merge(index, db, unmerged);
	while (!err && *unmerged && monotonic_us() < until);
	/* FTS5 writes the new part at the commit. */
	*unmerged |= taken > 0;
	*taken_out = taken;
	return err;
}

enum err titles_run_part(struct db *db, int64_t budget_us, bool *unmerged)
{
	const struct text_index *index = sql_dialect(db->driver)->text_index;
	int64_t waiting = 0, taken;
	enum err err = index ? titles_count(index, db, &waiting) : OK;

	if (err || !index)
		return err;
	if (waiting >= WAITING_MAX)
		return titles_take(index, db, waiting - WAITING_MAX + 1, budget_us, unmerged,
				   &taken);
	return *unmerged ? titles_merge(index, db, unmerged) : OK;
}

enum err titles_run_step(struct db *db, int64_t budget_us, bool *unmerged, bool *more_out)
{
	const struct text_index *index = sql_dialect(db->driver)->text_index;
	int64_t waiting = 0, taken = 0;
	enum err err = OK;

	*more_out = false;
	if (!index)
		return OK;
	db->driver->set_budget(db, 0);
	err = titles_count(index, db, &waiting);
	if (err || (!waiting && !*unmerged))
		return err;
	err = db->driver->begin(db);
	if (!err)
		err = titles_take(index, db, 0, budget_us, unmerged, &taken);
	if (!err)
		err = db->driver->commit(db, NULL, 0);
	*more_out = !err && (waiting > taken || *unmerged);
	return err;
}
