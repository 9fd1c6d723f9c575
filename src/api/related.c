/* SPDX-License-Identifier: MIT */
/* Related records: those that the records of a page refer to (expand). */
#include <stdlib.h>

#include "codec/codec.h"
#include "json/write.h"
#include "list_answer.h"

void related_clear(struct related *related)
{
	arena_release(&related->arena);
	related->count = related->bytes = 0;
	related->sorted = false;
}

static bool related_make_room(struct related *related, struct arena *arena)
{
	size_t room = related->room ? related->room * 2 : 64;
	struct related_record *list;

	if (related->count < related->room)
		return true;
	list = arena_alloc(arena, room * sizeof(*list));
	if (!list)
		return false;
	if (related->count)
		memcpy(list, related->list, related->count * sizeof(*list));
	related->list = list;
	related->room = room;
	return true;
}

enum err related_add(struct related *related, size_t expansion, const void *record,
		     struct arena *arena)
{
	const struct record_type *type = related->type->lists->expansions[expansion].type;
	const struct record *head = record;
	struct related_record *added;
	struct buf json = {0};
	size_t members;

	if (!related_make_room(related, arena))
		return ERR_NOMEM;
	added = &related->list[related->count++];
	json_open_object(&json);
	encode_members(type, record, &json);
	members = json.len;
	encode_name(type, record, &json);
	json_close_object(&json);
	related->bytes += json.len;
	*added = (struct related_record){
		.expansion = expansion, .id = head->id, .change = head->change, .len = json.len};
	if (!json.failed) {
		struct slice after = {json.ptr + members, json.len - members};

		added->after = (struct slice){arena_copy(arena, after), after.len};
		if (related->keeps_all || related->bytes <= ANSWER_BYTES)
			added->json = (struct slice){arena_copy(&related->arena, buf_slice(&json)),
						     json.len};
	}
	buf_release(&json);
	return added->after.ptr && (!added->json.len || added->json.ptr) ? OK : ERR_NOMEM;
}

static int by_expansion_and_id(const void *a, const void *b)
{
	const struct related_record *x = a, *y = b;

	if (x->expansion != y->expansion)
		return x->expansion < y->expansion ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void find_one(const struct related *related, size_t expansion, int64_t id, struct buf *named)
{
	const struct related_record key = {.expansion = expansion, .id = id};
	const struct related_record *found = NULL;
	uint32_t number;

	if (related->count && id != ID_NONE)
		found = bsearch(&key, related->list, related->count, sizeof(key),
				by_expansion_and_id);
	number = found ? (uint32_t)(found - related->list) + 1 : 0;
	buf_add(named, &number, sizeof(number));
}

void related_find(struct related *related, const void *record, struct buf *named)
{
	const struct record_type *type = related->type;

	buf_clear(named);
	if (!related->sorted && related->count)
		qsort(related->list, related->count, sizeof(*related->list), by_expansion_and_id);
	related->sorted = true;
	for (size_t i = 0; i < type->lists->expansion_count; i++) {
		const struct field *field = field_of(type, type->lists->expansions[i].field);
		const void *at = CONST_FIELD_AT(record, field);
		const struct id_list *list = at;
		bool is_list = field->type == FIELD_ID_LIST;
		uint32_t count = is_list ? (uint32_t)list->count : 1;

		if (!(related->expansions & UINT32_C(1) << i))
			continue;
		buf_add(named, &count, sizeof(count));
		for (uint32_t j = 0; j < count; j++)
			find_one(related, i, is_list ? list->ids[j] : *(const int64_t *)at, named);
	}
}

static void put_blanks(size_t len, struct buf *out)
{
	json_put_raw(out, SLICE(""));
	if (!buf_reserve(out, len))
		return;
	memset(out->ptr + out->len, ' ', len);
	out->len += len;
}

/* Returns how many of the values were used. */
static size_t put_one(const struct related *related, uint32_t number, const struct slice *value,
		      struct buf *out)
{
	const struct related_record *record;

	if (!number) {
		json_put_null(out);
		return 0;
	}
	record = &related->list[number - 1];
	if (!value && !record->json.ptr) {
		put_blanks(record->len, out);
	} else if (!value) {
		json_put_raw(out, record->json);
	} else if (value->len) {
		/* Without the brace at its end. */
		json_put_raw(out, (struct slice){value->ptr, value->len - 1});
		buf_add_slice(out, record->after);
	}
	return 1;
}

void related_put(const struct related *related, const uint32_t *named, const struct slice *values,
		 struct buf *out)
{
	const struct record_type *type = related->type;

	for (size_t i = 0; i < type->lists->expansion_count; i++) {
		const struct expansion *expansion = &type->lists->expansions[i];
		bool is_list = field_of(type, expansion->field)->type == FIELD_ID_LIST;
		uint32_t count;

		if (!(related->expansions & UINT32_C(1) << i))
			continue;
		json_put_key(out, expansion->key);
		if (is_list)
			json_open_array(out);
		for (count = *named++; count; count--) {
			size_t used = put_one(related, *named++, values, out);

			values = values ? values + used : NULL;
		}
		if (is_list)
			json_close_array(out);
	}
}
