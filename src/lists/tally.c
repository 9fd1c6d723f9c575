/* SPDX-License-Identifier: MIT */
/* Reads tallies. A million tasks have 16 for each of 245 blocks of ids, and for each of 8 large
 * blocks. */
#include "tally.h"

#include "base/timefmt.h"
#include "model/task.h"

static const int64_t complete[] = {TASK_COMPLETE};
static const int64_t open[] = {TASK_NONE, TASK_NEEDS_ACTION, TASK_IN_PROGRESS};
static const int64_t with[] = {1}, without[] = {0};

/* `any` is for the values of a condition; the others are for records with a value of the field, and
 * for those without one. */
static const struct tally_row {
	const char *field;
	enum tally_field tally;
	bool any;
	const int64_t *some, *none;
	size_t some_count, none_count;
} tally_rows[] = {
	{.field = "status", .tally = TALLY_STATUS, .any = true},
	{.field = "calendar_id", .tally = TALLY_CALENDAR, .any = true},
	{"alert_at", TALLY_ALERT, false, with, without, 1, 1},
	/* A task has a time of completion if, and only if, it is complete. */
	{"complete_at", TALLY_STATUS, false, complete, open, 1, COUNT_OF(open)},
};

static bool tally_find_one(const struct condition *condition, const struct tally_row *row,
			   struct tally_sum *sum)
{
	sum->field = row->tally;
	if (condition->op == FILTER_ANY && !condition->none) {
		sum->values = condition->values;
		sum->count = condition->count;
		return row->any;
	}
	if (row->any)
		return false;
	if (condition->op == FILTER_ANY && !condition->count) {
		sum->values = row->none;
		sum->count = row->none_count;
		return true;
	}
	sum->values = row->some;
	sum->count = row->some_count;
	return condition->op == FILTER_FROM && condition->bound == TIME_NONE + 1;
}

bool tally_find(enum record_kind kind, const struct condition *conditions, size_t count,
		struct tally_sum *sum_out)
{
	struct tally_sum sum = {.field = TALLY_ALERT};
	bool found = count == 0;

	if (kind != RECORD_TASK || count > 1)
		return false;
	for (size_t i = 0; i < COUNT_OF(tally_rows) && !found; i++)
		if (strcmp(conditions->field->name, tally_rows[i].field) == 0)
			found = tally_find_one(conditions, &tally_rows[i], &sum);
	if (found)
		*sum_out = sum;
	return found;
}

/* Runs `select` on the tallies of `sum` in the blocks `low` to `high` of a table, with `end` after
 * its conditions. */
static enum err tally_run(struct list *list, const struct tally_sum *sum, const char *table,
			  const int64_t blocks[2], const char *select, const char *end,
			  db_row_fn *on_row, void *context)
{
	struct buf sql = {0}, values = {0};
	struct db_value args[] = {DB_INT_VALUE(list->plan.account_id),
				  DB_INT_VALUE((int64_t)sum->field), DB_INT_VALUE(blocks[0]),
				  DB_INT_VALUE(blocks[1]), DB_NULL_VALUE};
	struct db_call call = {.args = args, .arg_count = 4, .on_row = on_row, .context = context};
	enum err err = ERR_NOMEM;

	buf_printf(&sql,
		   "SELECT %s FROM %s WHERE account_id = $1 AND field = $2"
		   " AND block BETWEEN $3 AND $4",
		   select, table);
	for (size_t i = 0; i < sum->count; i++) {
		buf_add_char(&values, i ? ',' : '[');
		buf_add_int(&values, sum->values[i]);
	}
	if (sum->count) {
		buf_add_char(&values, ']');
		buf_add_text(&sql, " AND value IN ");
		put_into(list->plan.dialect->among, "$5", &sql);
		args[call.arg_count++] = DB_TEXT_VALUE(buf_slice(&values));
	}
	buf_add_text(&sql, end);
	buf_add_char(&sql, '\0');
	call.sql = sql.ptr;
	if (!sql.failed && !values.failed)
		err = list->store->driver->run(list->db, &call, 1);
	buf_release(&sql);
	buf_release(&values);
	return err;
}

#define SUM "CAST(coalesce(sum(tasks), 0) AS BIGINT)"
#define ALL_BLOCKS           \
	{                    \
		0, INT64_MAX \
	}

/* The tables of tallies, from the largest blocks to the smallest. */
static const struct tally_table {
	const char *name;
	int64_t ids; /* of a block */
} tally_tables[] = {
	{"task_tally_sum", TALLY_LARGE_BLOCK},
	{"task_tally", TALLY_BLOCK},
};

enum err tally_count(struct list *list, const struct tally_sum *sum, int64_t *count_out)
{
	const int64_t blocks[] = ALL_BLOCKS;

	return tally_run(list, sum, tally_tables[0].name, blocks, SUM, "", db_number, count_out);
}

struct jump {
	uint64_t left; /* records between the blocks that were passed and the page */
	bool found;    /* the block of the page, and how many records it has */
	int64_t block;
	uint64_t count;
};

static enum err jump_row(void *context, const struct db_value *values, size_t count)
{
	struct jump *jump = context;
	uint64_t records = (uint64_t)values[1].integer;

	(void)count;
	if (jump->found)
		return OK;
	jump->found = records > jump->left;
	if (jump->found) {
		jump->block = values[0].integer;
		jump->count = records;
	} else {
		jump->left -= records;
	}
	return OK;
}

/* First over large blocks, then over the blocks of the large one that has the page. */
enum err tally_jump(struct list *list, const struct tally_sum *sum, uint64_t offset,
		    struct tally_place *place_out, bool *found_out)
{
	const bool descending = list->plan.descending;
	struct jump jump = {.left = offset, .found = true};
	int64_t blocks[2] = ALL_BLOCKS;
	enum err err = OK;

	for (size_t i = 0; i < COUNT_OF(tally_tables) && jump.found && !err; i++) {
		if (i) {
			const int64_t parts = tally_tables[i - 1].ids / tally_tables[i].ids;

			blocks[0] = jump.block * parts;
			blocks[1] = blocks[0] + parts - 1;
		}
		jump.found = false;
		err = tally_run(list, sum, tally_tables[i].name, blocks, "block, " SUM,
				descending ? " GROUP BY block ORDER BY block DESC"
					   : " GROUP BY block ORDER BY block",
				jump_row, &jump);
	}
	*found_out = jump.found;
	*place_out = (struct tally_place){
		.first = jump.block * TALLY_BLOCK, .count = jump.count, .offset = jump.left};
	return err;
}
