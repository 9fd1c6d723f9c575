/* SPDX-License-Identifier: MIT */
/* Reads pages by number that have many records before them. If the tallies have the number of the
 * records that match, docket need not walk over all of these: in the order of ids it jumps to the
 * block of the page, and in other orders it walks from the end of the list that is nearer. */
#include "tally.h"

/* If fewer records come before the page, docket walks over them. */
#define DEEP 2048

/* Finds the record right before the page, from the far end of its block. */
static enum err deep_find_back(const struct list *list, const struct tally_place *place,
			       int64_t behind, int64_t *id_out)
{
	const struct list_position far_end = {.id = behind};
	struct list part = *list;
	enum err err;

	part.plan.descending = !part.plan.descending;
	part.plan.after = &far_end;
	part.ids = id_out;
	part.id_count = 0;
	part.wanted = 1;
	err = list_read_keys(&part, place->count - place->offset);
	return err || part.id_count ? err : ERR_INTERNAL;
}

/* Begins at the end of the block that is nearer to the page. If the block has all its ids, nothing
 * has to be walked over. */
static enum err deep_jump(struct list *list, const struct tally_sum *sum, uint64_t offset)
{
	const bool descending = list->plan.descending;
	struct tally_place place;
	struct list_position position = {0};
	bool found;
	enum err err = tally_jump(list, sum, offset, &place, &found);
	int64_t ends[2]; /* the ids right before and right behind the block */

	if (err || !found)
		return err;
	ends[descending] = place.first - 1;
	ends[!descending] = place.first + TALLY_BLOCK;
	position.id = ends[0];
	if (place.count == TALLY_BLOCK) {
		position.id += descending ? -(int64_t)place.offset : (int64_t)place.offset;
		place.offset = 0;
	} else if (place.offset > place.count / 2) {
		err = deep_find_back(list, &place, ends[1], &position.id);
		place.offset = 0;
	}
	list->plan.after = &position;
	if (!err)
		err = list_read_keys(list, place.offset);
	list->plan.after = NULL;
	return err;
}

/* Reads the keys in the opposite order, then turns them round. `left`: how many records there are
 * from the first of the page on. */
static enum err deep_turn(struct list *list, uint64_t left)
{
	const size_t first = list->id_count, wanted = list->wanted;
	const size_t part = left < wanted - first ? (size_t)left : wanted - first;
	enum err err;

	list->plan.descending = !list->plan.descending;
	list->wanted = first + part;
	err = list_read_keys(list, left - part);
	list->wanted = wanted;
	list->plan.descending = !list->plan.descending;
	for (size_t i = first, j = list->id_count; i + 1 < j; i++) {
		int64_t id = list->ids[i];

		list->ids[i] = list->ids[--j];
		list->ids[j] = id;
	}
	return err;
}

enum err list_read_deep(struct list *list, uint64_t offset)
{
	const struct list_plan *plan = &list->plan;
	struct tally_sum sum;
	int64_t count;
	enum err err;

	if (offset < DEEP || plan->after ||
	    !tally_find(list->kind, plan->conditions, plan->condition_count, &sum))
		return list_read_keys(list, offset);
	if (list_is_id(plan->sort))
		return deep_jump(list, &sum, offset);
	err = tally_count(list, &sum, &count);
	if (err || (uint64_t)count <= offset)
		return err;
	if (offset <= (uint64_t)count / 2)
		return list_read_keys(list, offset);
	return deep_turn(list, (uint64_t)count - offset);
}
