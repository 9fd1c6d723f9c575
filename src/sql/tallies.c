/* SPDX-License-Identifier: MIT */
/* Changes tallies once for each batch. Nearly all creates of a batch change the same few. */
#include "sql/tallies.h"

#include <stdlib.h>

struct note {
	int64_t account_id, block, field, value;
	int64_t change;
};

void tallies_note(struct buf *noted, int64_t account_id, enum tally_field field, int64_t value,
		  int64_t id, int64_t change)
{
	const struct note note = {account_id, id / TALLY_BLOCK, (int64_t)field, value, change};

	buf_add(noted, &note, sizeof(note));
}

/* In the order of the table's key. */
static int note_compare(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	if (x->account_id != y->account_id)
		return x->account_id < y->account_id ? -1 : 1;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	if (x->field != y->field)
		return x->field < y->field ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

#define CHANGE(table)                                                    \
	"INSERT INTO " table " (account_id, block, field, value, tasks)" \
	" VALUES ($1, $2, $3, $4, $5)"                                   \
	" ON CONFLICT (account_id, block, field, value)"                 \
	" DO UPDATE SET tasks = " table ".tasks + excluded.tasks"

static enum err tally_change(const struct note *note, const char *sql, struct calls *calls)
{
	return calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(note->account_id),
			 DB_INT_VALUE(note->block), DB_INT_VALUE(note->field),
			 DB_INT_VALUE(note->value), DB_INT_VALUE(note->change));
}

/* Lists the statements that change the tallies of one table. */
static enum err tallies_change_table(struct note *notes, size_t count, const char *sql,
				     struct calls *calls)
{
	enum err err = OK;

	if (count)
		qsort(notes, count, sizeof(*notes), note_compare);
	for (size_t i = 0, next; i < count && !err; i = next) {
		struct note sum = notes[i];

		for (next = i + 1; next < count && note_compare(&sum, &notes[next]) == 0; next++)
			sum.change += notes[next].change;
		if (sum.change)
			err = tally_change(&sum, sql, calls);
	}
	return err;
}

enum err tallies_change(struct buf *noted, struct calls *calls)
{
	struct note *notes = (void *)noted->ptr;
	size_t count = noted->len / sizeof(*notes);
	enum err err = noted->failed ? ERR_NOMEM : OK;

	if (!err)
		err = tallies_change_table(notes, count, CHANGE("task_tally"), calls);
	for (size_t i = 0; i < count; i++)
		notes[i].block /= TALLY_LARGE_BLOCK / TALLY_BLOCK;
	return err ? err : tallies_change_table(notes, count, CHANGE("task_tally_sum"), calls);
}
