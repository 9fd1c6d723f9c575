/* SPDX-License-Identifier: MIT */
/* The pieces of a long list: what docket keeps of each record, and how it puts it again from the
 * history. */
#include "codec/codec.h"
#include "json/write.h"
#include "list_answer.h"

enum err list_keep_named(struct list_answer *answer, struct piece_item *item)
{
	const struct related *related = &answer->related;
	struct slice named = buf_slice(&answer->named);
	uint32_t *copy = arena_alloc(&answer->pieces.call->http->arena, named.len);

	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, named.ptr, named.len);
	item->named = copy;
	for (size_t i = 0; i < related->type->lists->expansion_count; i++)
		if (related->expansions & UINT32_C(1) << i)
			for (uint32_t count = *copy++; count; count--)
				item->versions += *copy++ > 0;
	return OK;
}

static struct record_version *put_versions(const struct list_answer *answer,
					   const struct piece_item *item, struct record_version *to)
{
	const struct related *related = &answer->related;
	const uint32_t *named = item->named;

	*to++ = (struct record_version){answer->type, item->id, item->change};
	for (size_t i = 0; named && i < related->type->lists->expansion_count; i++) {
		if (!(related->expansions & UINT32_C(1) << i))
			continue;
		for (uint32_t count = *named++; count; count--, named++) {
			const struct related_record *one;

			if (!*named)
				continue;
			one = &related->list[*named - 1];
			*to++ = (struct record_version){related->type->lists->expansions[i].type,
							one->id, one->change};
		}
	}
	return to;
}

struct store_read *list_piece_read(struct pieces *pieces)
{
	struct list_answer *answer = pieces->call->read;
	struct record_version *versions, *end;
	size_t count = 0;

	for (size_t i = pieces->next; i < pieces->end; i++)
		count += pieces->items[i].versions;
	versions = end = arena_alloc(&pieces->arena, count * sizeof(*versions));
	if (!versions)
		return NULL;
	for (size_t i = pieces->next; i < pieces->end; i++)
		end = put_versions(answer, &pieces->items[i], end);
	versions_read_init(&answer->versions, &pieces->arena);
	answer->versions.scope = pieces->call->scope;
	answer->versions.versions = versions;
	answer->versions.count = count;
	return &answer->versions.read;
}

enum err list_piece_put(struct pieces *pieces, enum err err)
{
	const struct list_answer *answer = pieces->call->read;
	const struct slice *values = answer->versions.values;
	struct buf *body = pieces->out;

	if (!err && answer->versions.found < answer->versions.count)
		err = ERR_CORRUPT;
	for (size_t i = pieces->next; i < pieces->end && !err; i++) {
		const struct piece_item *item = &pieces->items[i];

		if (i)
			buf_add_char(body, ',');
		buf_add(body, values->ptr, values->len ? values->len - 1 : 0);
		if (item->named)
			related_put(&answer->related, item->named, values + 1, body);
		json_close_object(body);
		values += item->versions;
	}
	return err;
}
