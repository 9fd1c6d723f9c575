/* SPDX-License-Identifier: MIT */
/* Lists and single records, of any kind: each record is written to the answer as it is read. */
#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"
#include "codec/codec.h"
#include "json/write.h"

/* A related record, as it stands in the answer. */
struct related {
	size_t expansion;
	int64_t id;
	struct slice json;
};

struct answer {
	struct call *call;
	const struct record_type *type;
	struct buf *out;
	struct related *related;
	size_t related_count, related_room;
	bool related_sorted;
	size_t count;           /* of records */
	struct list_place last; /* of the page's last record */
};

static enum err on_related(void *context, size_t expansion, const void *record)
{
	struct answer *answer = context;
	struct arena *arena = &answer->call->http->arena;
	struct buf json = {0};
	struct related *related;
	const char *copy;

	if (answer->related_count == answer->related_room) {
		size_t room = answer->related_room ? answer->related_room * 2 : 64;

		related = arena_alloc(arena, room * sizeof(*related));
		if (!related)
			return ERR_NOMEM;
		if (answer->related_count)
			memcpy(related, answer->related, answer->related_count * sizeof(*related));
		answer->related = related;
		answer->related_room = room;
	}
	encode_related(answer->type->lists->expansions[expansion].type, record, &json);
	copy = json.failed ? NULL : arena_copy(arena, buf_slice(&json));
	if (copy)
		answer->related[answer->related_count++] = (struct related){
			expansion, ((const struct record *)record)->id, {copy, json.len}};
	buf_release(&json);
	return copy ? OK : ERR_NOMEM;
}

static int by_expansion_and_id(const void *a, const void *b)
{
	const struct related *x = a, *y = b;

	if (x->expansion != y->expansion)
		return x->expansion < y->expansion ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void put_related(const struct answer *answer, size_t expansion, int64_t id)
{
	const struct related key = {.expansion = expansion, .id = id};
	const struct related *found = NULL;

	if (answer->related_count && id != ID_NONE)
		found = bsearch(&key, answer->related, answer->related_count, sizeof(key),
				by_expansion_and_id);
	if (found)
		json_put_raw(answer->out, found->json);
	else
		json_put_null(answer->out);
}

static void put_expansion(const struct answer *answer, size_t row, const void *record)
{
	const struct expansion *expansion = &answer->type->lists->expansions[row];
	const struct field *field = field_of(answer->type, expansion->field);
	const void *at = CONST_FIELD_AT(record, field);
	const struct id_list *list = at;

	json_put_key(answer->out, expansion->key);
	if (field->type == FIELD_ID) {
		put_related(answer, row, *(const int64_t *)at);
		return;
	}
	json_open_array(answer->out);
	for (size_t i = 0; i < list->count; i++)
		put_related(answer, row, list->ids[i]);
	json_close_array(answer->out);
}

static enum err on_record(void *context, const void *record)
{
	struct answer *answer = context;
	const struct list_query *query = &answer->call->list.query;

	if (!answer->related_sorted && answer->related_count)
		qsort(answer->related, answer->related_count, sizeof(*answer->related),
		      by_expansion_and_id);
	answer->related_sorted = true;
	json_open_object(answer->out);
	encode_members(answer->type, record, answer->out);
	for (size_t i = 0; i < answer->type->lists->expansion_count; i++)
		if (query->expansions & UINT32_C(1) << i)
			put_expansion(answer, i, record);
	json_close_object(answer->out);
	if (++answer->count == query->limit) {
		const char *text;

		answer->last = list_place_of(record, query->sort);
		text = arena_copy(&answer->call->http->arena, answer->last.text);
		if (!text)
			return ERR_NOMEM;
		answer->last.text.ptr = text;
	}
	return answer->out->failed ? ERR_NOMEM : OK;
}

static enum err read_list(struct call *call, struct answer *answer, bool *more_out)
{
	const struct list_sink sink = {on_record, on_related, answer};

	answer->call = call;
	answer->type = record_types[call->route->kind];
	answer->out = &call->http->response.body;
	return store_list(call->app->store, &call->scope, call->route->kind, &call->list.query,
			  &call->http->arena, &sink, more_out);
}

static enum err list_records(struct call *call)
{
	struct answer answer = {0};
	bool more = false;
	enum err err;

	json_open_array(&call->http->response.body);
	err = read_list(call, &answer, &more);
	json_close_array(&call->http->response.body);
	return err ? err : page_links(call, more ? &answer.last : NULL);
}

static enum err count_records(struct call *call)
{
	struct buf *out = &call->http->response.body;
	int64_t limit = (int64_t)call->list.query.limit, count = 0;
	enum err err = store_count(call->app->store, &call->scope, call->route->kind,
				   &call->list.query, &call->http->arena, &count);

	json_open_object(out);
	json_put_key(out, "record_count");
	json_put_int(out, count);
	json_put_key(out, "page_count");
	json_put_int(out, (count + limit - 1) / limit);
	json_close_object(out);
	return err;
}

/* With what was written, where nothing went wrong. */
static void answer_json(struct call *call, enum err err)
{
	if (!err && call->http->response.body.failed)
		err = ERR_NOMEM;
	if (err) {
		problem_err(call, err);
		return;
	}
	http_add_header(call->http, "Content-Type", "application/json");
	call->http->response.status = 200;
}

void record_list(struct call *call)
{
	enum err err = OK;

	if (http_is_full(call->http)) {
		problem_err(call, ERR_BUSY);
		return;
	}
	err = call->list.count ? count_records(call) : list_records(call);

	if (err == ERR_INVALID) {
		faults_add(&call->faults, "query", FAULT_TOO_LONG,
			   "is too long for a link to the next page: give fewer values");
		problem_faults(call, 400);
		return;
	}
	answer_json(call, err);
}

/* What is no id at all is answered as an id without a record. */
static bool read_id(const struct call *call, int64_t *id_out)
{
	errno = 0;
	*id_out = strtoll(call->id_text.ptr, NULL, 10);
	return strspn(call->id_text.ptr, "0123456789") == call->id_text.len && !errno;
}

static enum err answer_one(void *context, const void *record)
{
	struct call *call = context;

	answer_record(call, record_types[call->route->kind], record, NULL);
	return OK;
}

/* With the records that it names, each with its own version: so there is no ETag. */
static void get_expanded(struct call *call, int64_t id)
{
	struct list_query *query = &call->list.query;
	const struct condition one = {.field = field_of(record_types[call->route->kind], "id"),
				      .op = FILTER_ANY,
				      .values = &id,
				      .count = 1};
	struct answer answer = {0};
	bool more = false;
	enum err err;

	query->conditions = &one;
	query->condition_count = 1;
	query->limit = 1;
	err = read_list(call, &answer, &more);
	answer_json(call, err ? err : answer.count ? OK : ERR_NOT_FOUND);
}

void record_get(struct call *call)
{
	enum err err = ERR_NOT_FOUND;
	int64_t id;

	if (read_id(call, &id)) {
		if (call->list.query.expansions) {
			get_expanded(call, id);
			return;
		}
		err = store_get(call->app->store, &call->scope, call->route->kind, id,
				&call->http->arena, answer_one, call);
	}
	if (err)
		problem_err(call, err);
}
