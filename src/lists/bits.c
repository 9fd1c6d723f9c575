/* SPDX-License-Identifier: MIT */
/* Sets of ids. */
#include "bits.h"

void bits_release(struct bits *bits)
{
	free(bits->parts);
	*bits = (struct bits){NULL, 0};
}

/* Keeps the ids that `other` has too. */
static void bits_cut(struct bits *bits, const struct bits *other)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < bits->count; i++) {
		while (at < other->count && other->parts[at].number < bits->parts[i].number)
			at++;
		if (at == other->count)
			break;
		if (other->parts[at].number != bits->parts[i].number)
			continue;
		bits->parts[kept] = bits->parts[i];
		for (size_t byte = 0; byte < sizeof(bits->parts->bytes); byte++)
			bits->parts[kept].bytes[byte] &= other->parts[at].bytes[byte];
		kept++;
	}
	bits->count = kept;
}

static enum err keep_row(void *context, const struct db_value *values, size_t count)
{
	struct bits *bits = context, found;
	const struct slice bytes = values[0].bytes;

	(void)count;
	found = (struct bits){malloc(bytes.len + 1), bytes.len / sizeof(*found.parts)};
	if (!found.parts)
		return ERR_NOMEM;
	if (bytes.len)
		memcpy(found.parts, bytes.ptr, bytes.len);
	if (!bits->parts) {
		*bits = found;
		return OK;
	}
	bits_cut(bits, &found);
	bits_release(&found);
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

	for (size_t i = 0; i < bits->count; i++)
		for (size_t byte = 0; byte < sizeof(bits->parts->bytes); byte++)
			count += __builtin_popcount(bits->parts[i].bytes[byte]);
	return count;
}

static bool part_has(const struct db_bits *part, int64_t at)
{
	return part->bytes[at / 8] >> at % 8 & 1;
}

/* Appends the ids of the part that are not before `from`, without the first `offset`, which it
 * counts down. */
static void part_take(const struct db_bits *part, int64_t from, uint64_t *offset, struct list *list)
{
	const bool descending = list->plan.descending;
	const int64_t first = part->number * DB_BITS_IDS, last = first + DB_BITS_IDS - 1;
	const int64_t step = descending ? -1 : 1;
	int64_t id = descending ? (from < last ? from : last) : (from > first ? from : first);

	for (; id >= first && id <= last && list->id_count < list->wanted; id += step) {
		if (!part_has(part, id - first))
			continue;
		if (*offset)
			--*offset;
		else
			list->ids[list->id_count++] = id;
	}
}

void bits_take(const struct bits *bits, uint64_t offset, struct list *list)
{
	const bool descending = list->plan.descending;
	int64_t from = descending ? INT64_MAX : 0;

	if (list->plan.after)
		from = list->plan.after->id + (descending ? -1 : 1);
	for (size_t i = 0; i < bits->count; i++)
		part_take(&bits->parts[descending ? bits->count - 1 - i : i], from, &offset, list);
}

int64_t *bits_ids(const struct bits *bits, int64_t count, struct arena *arena)
{
	int64_t *ids = arena_alloc(arena, ((size_t)count + 1) * sizeof(*ids));
	size_t found = 0;

	for (size_t i = 0; ids && i < bits->count; i++)
		for (int64_t at = 0; at < DB_BITS_IDS; at++)
			if (part_has(&bits->parts[i], at))
				ids[found++] = bits->parts[i].number * DB_BITS_IDS + at;
	return ids;
}
