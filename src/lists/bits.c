/* SPDX-License-Identifier: MIT */
/* Sets of ids. */
#include "bits.h"

void bits_release(struct bits *bits)
{
	free(bits->set);
	*bits = (struct bits){NULL, 0};
}

enum err bits_fit(struct list *list, bool *fit_out)
{
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id)};
	struct buf sql = {0};
	int64_t last = 0;
	struct db_call call = {.args = args, .arg_count = 1, .on_row = db_number, .context = &last};
	enum err err = ERR_NOMEM;

	buf_printf(&sql, "SELECT %s FROM account_state WHERE account_id = $1",
		   list->plan.type->sequence);
	buf_add_char(&sql, '\0');
	call.sql = sql.ptr;
	if (!sql.failed)
		err = list->store->driver->run(list->db, &call, 1);
	buf_release(&sql);
	*fit_out = last <= DB_BITS_ID_MAX;
	return err;
}

static enum err keep_row(void *context, const struct db_value *values, size_t count)
{
	struct bits *bits = context;
	const struct slice found = values[0].bytes;

	(void)count;
	if (values[0].type == DB_NULL)
		return ERR_INTERNAL; /* an id that bits_fit() did not know */
	if (!bits->set) {
		bits->set = malloc(found.len + 1);
		if (!bits->set)
			return ERR_NOMEM;
		if (found.len)
			memcpy(bits->set, found.ptr, found.len);
		bits->len = found.len;
		return OK;
	}
	if (bits->len > found.len)
		bits->len = found.len;
	for (size_t i = 0; i < bits->len; i++)
		bits->set[i] &= (unsigned char)found.ptr[i];
	return OK;
}

enum err bits_keep(struct list *list, const struct list_plan *plan, struct bits *bits)
{
	struct list_text text = {0};

	list_write_bits(plan, list->arena, &text);
	return list_run_text(list, &text, keep_row, bits);
}

int64_t bits_count(const struct bits *bits)
{
	int64_t count = 0;

	for (size_t i = 0; i < bits->len; i++)
		count += __builtin_popcount(bits->set[i]);
	return count;
}

static bool bits_have(const struct bits *bits, int64_t id)
{
	return bits->set[id / 8] >> id % 8 & 1;
}

void bits_take(const struct bits *bits, uint64_t offset, struct list *list)
{
	const bool descending = list->plan.descending;
	const int64_t step = descending ? -1 : 1, end = (int64_t)bits->len * 8;
	int64_t id = descending ? end - 1 : 0;

	if (list->plan.after &&
	    (descending ? list->plan.after->id <= id : list->plan.after->id >= 0))
		id = list->plan.after->id + step;
	for (; id >= 0 && id < end && list->id_count < list->wanted; id += step) {
		if (!bits_have(bits, id))
			continue;
		if (offset)
			offset--;
		else
			list->ids[list->id_count++] = id;
	}
}

int64_t *bits_ids(const struct bits *bits, int64_t count, struct arena *arena)
{
	int64_t *ids = arena_alloc(arena, ((size_t)count + 1) * sizeof(*ids));
	const int64_t end = (int64_t)bits->len * 8;
	size_t found = 0;

	for (int64_t id = 0; ids && id < end; id++)
		if (bits_have(bits, id))
			ids[found++] = id;
	return ids;
}
