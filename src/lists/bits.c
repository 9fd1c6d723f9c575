/* SPDX-License-Identifier: MIT */
/* Sets of ids. */
#include "bits.h"

struct keeper {
	struct bits *bits;
	struct arena *arena;
};

static enum err keep_row(void *context, const struct db_value *values, size_t count)
{
	struct keeper *keeper = context;
	struct bits *bits = keeper->bits;
	const struct slice found = values[0].bytes;
	unsigned char *set;

	(void)count;
	if (values[0].type == DB_NULL) {
		bits->too_large = true;
		return OK;
	}
	if (!bits->set.ptr || bits->set.len > found.len)
		bits->set.len = found.len;
	set = arena_alloc(keeper->arena, bits->set.len + 1);
	if (!set)
		return ERR_NOMEM;
	if (bits->set.len)
		memcpy(set, found.ptr, bits->set.len);
	for (size_t i = 0; bits->set.ptr && i < bits->set.len; i++)
		set[i] &= (unsigned char)bits->set.ptr[i];
	bits->set.ptr = (const char *)set;
	return OK;
}

enum err bits_keep(struct list *list, const struct list_plan *plan, struct bits *bits)
{
	struct keeper keeper = {bits, list->arena};
	struct list_text text = {0};

	list_write_bits(plan, list->arena, &text);
	return list_run_text(list, &text, keep_row, &keeper);
}

int64_t bits_count(const struct bits *bits)
{
	int64_t count = 0;

	for (size_t i = 0; i < bits->set.len; i++)
		count += __builtin_popcount((unsigned char)bits->set.ptr[i]);
	return count;
}

static bool bits_have(const struct bits *bits, int64_t id)
{
	return (unsigned char)bits->set.ptr[id / 8] >> id % 8 & 1;
}

void bits_take(const struct bits *bits, uint64_t offset, struct list *list)
{
	const bool descending = list->plan.descending;
	const int64_t step = descending ? -1 : 1, end = (int64_t)bits->set.len * 8;
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
	const int64_t end = (int64_t)bits->set.len * 8;
	size_t found = 0;

	for (int64_t id = 0; ids && id < end; id++)
		if (bits_have(bits, id))
			ids[found++] = id;
	return ids;
}
