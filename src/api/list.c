/* SPDX-License-Identifier: MIT */
/* Lists and single records, of any kind: each record is written to the answer as it is read. */
#include <errno.h>
#include <stdlib.h>

#include "api_private.h"
#include "codec/codec.h"
#include "json/write.h"
#include "lists/lists.h"
#include "records/records.h"

#define ID_DIGITS_MAX 20

/* A related record, as it stands in the answer. */
struct related {
	size_t expansion;
	int64_t id;
	struct slice json;
};

struct answer {
	struct list_read read;
	struct call *call;
	const struct record_type *type;
	struct buf *out;
	struct related *related;
	size_t related_count, related_room;
	bool related_sorted;
	size_t count;              /* of records */
	bool one;                  /* a record alone, not a list */
	struct list_position last; /* of the page's last record */
};

static enum err answer_on_related(void *context, size_t expansion, const void *record)
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

static void answer_put_related(const struct answer *answer, size_t expansion, int64_t id)
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

static void answer_put_expansion(const struct answer *answer, size_t row, const void *record)
{
	const struct expansion *expansion = &answer->type->lists->expansions[row];
	const struct field *field = field_of(answer->type, expansion->field);
	const void *at = CONST_FIELD_AT(record, field);
	const struct id_list *list = at;

	json_put_key(answer->out, expansion->key);
	if (field->type == FIELD_ID) {
		answer_put_related(answer, row, *(const int64_t *)at);
		return;
	}
	json_open_array(answer->out);
	for (size_t i = 0; i < list->count; i++)
		answer_put_related(answer, row, list->ids[i]);
	json_close_array(answer->out);
}

static enum err answer_on_record(void *context, const void *record)
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
			answer_put_expansion(answer, i, record);
	json_close_object(answer->out);
	if (++answer->count == query->limit) {
		const char *text;

		answer->last = list_position_of(record, query->sort);
		text = arena_copy(&answer->call->http->arena, answer->last.text);
		if (!text)
			return ERR_NOMEM;
		answer->last.text.ptr = text;
	}
	return answer->out->failed ? ERR_NOMEM : OK;
}

static void answer_begin(void *context)
{
	struct answer *answer = context;

	buf_clear(answer->out);
	if (!answer->one)
		json_open_array(answer->out);
	answer->related_count = answer->count = 0;
	answer->related_sorted = false;
}

static struct answer *list_answer_new(struct call *call)
{
	struct answer *answer = arena_alloc(&call->http->arena, sizeof(*answer));

	if (!answer) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	list_read_init(&answer->read, call->route->kind, &call->http->arena);
	answer->read.scope = call->scope;
	answer->read.query = &call->list.query;
	answer->read.sink =
		(struct list_sink){answer_begin, answer_on_record, answer_on_related, answer};
	answer->read.counts = call->list.count;
	answer->call = call;
	answer->type = record_types[call->route->kind];
	answer->out = &call->http->response.body;
	call->read = answer;
	return answer;
}

static void list_answer_count(struct call *call, int64_t count)
{
	struct buf *out = &call->http->response.body;
	int64_t limit = (int64_t)call->list.query.limit;

	json_open_object(out);
	json_put_key(out, "record_count");
	json_put_int(out, count);
	json_put_key(out, "page_count");
	json_put_int(out, (count + limit - 1) / limit);
	json_close_object(out);
}

enum flow answer_json(struct call *call, enum err err)
{
	if (!err && call->http->response.body.failed)
		err = ERR_NOMEM;
	if (err) {
		problem_err(call, err);
		return FLOW_ANSWERED;
	}
	http_add_header(call->http, "Content-Type", "application/json");
	call->http->response.status = 200;
	return FLOW_ANSWERED;
}

static enum flow list_read_done(struct call *call)
{
	const struct answer *answer = call->read;
	enum err err = answer->read.read.err;

	if (err)
		return answer_json(call, err);
	if (call->list.count) {
		list_answer_count(call, answer->read.count);
	} else {
		json_close_array(answer->out);
		err = page_links(call, answer->read.more ? &answer->last : NULL,
				 answer->count == 0);
	}
	if (err == ERR_INVALID) {
		faults_add(&call->faults, "query", FAULT_TOO_LONG,
			   "is too long for a link to the next page: give fewer values");
		problem_faults(call, 400);
		return FLOW_ANSWERED;
	}
	return answer_json(call, err);
}

enum flow record_list(struct call *call)
{
	struct answer *answer;

	if (http_is_full(call->http)) {
		problem_err(call, ERR_BUSY);
		return FLOW_ANSWERED;
	}
	answer = list_answer_new(call);
	return answer ? call_read(call, &answer->read.read, list_read_done) : FLOW_ANSWERED;
}

bool call_id(const struct call *call, int64_t *id_out)
{
	size_t len = call->id_text.len;

	errno = 0;
	*id_out = strtoll(call->id_text.ptr, NULL, 10);
	/* Leading zeros are accepted, but not so many that the path fits into no link. */
	return len <= ID_DIGITS_MAX && strspn(call->id_text.ptr, "0123456789") == len && !errno;
}

static enum err record_get_on_record(void *context, const void *record)
{
	struct call *call = context;
	int64_t change = ((const struct record *)record)->change;

	buf_clear(&call->http->response.body);
	call->http->response.header_count = 0;
	encode_record(record_types[call->route->kind], record, &call->http->response.body);
	answer_record(call, change, ID_NONE);
	/* The client has it as it is (RFC 9110, section 13.1.2). */
	if (call->versions.given && call->http->response.status == 200 &&
	    versions_name(&call->versions, change))
		call->http->response.status = 304; /* without the body, whose length is told */
	return OK;
}

struct record_read *record_read_new(struct call *call, int64_t id, store_record_fn *take)
{
	struct record_read *read = arena_alloc(&call->http->arena, sizeof(*read));

	if (!read) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	record_read_init(read, call->route->kind, &call->http->arena);
	read->scope = call->scope;
	read->id = id;
	read->on_record = take;
	read->record_context = call;
	call->read = read;
	return read;
}

static enum flow record_expanded_done(struct call *call)
{
	const struct answer *answer = call->read;
	enum err err = answer->read.read.err;

	return answer_json(call, err ? err : answer->count ? OK : ERR_NOT_FOUND);
}

/* With the records that it names, each with its own version: so there is no ETag. */
static enum flow record_get_expanded(struct call *call, int64_t id)
{
	struct list_query *query = &call->list.query;
	struct answer *answer = list_answer_new(call);
	struct condition *one = arena_alloc(&call->http->arena, sizeof(*one));
	int64_t *ids = arena_alloc(&call->http->arena, sizeof(*ids));

	if (!answer || !one || !ids) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	*ids = id;
	*one = (struct condition){.field = field_of(record_types[call->route->kind], "id"),
				  .op = FILTER_ANY,
				  .values = ids,
				  .count = 1};
	query->conditions = one;
	query->condition_count = 1;
	query->limit = 1;
	answer->one = true;
	return call_read(call, &answer->read.read, record_expanded_done);
}

static enum flow record_get_done(struct call *call)
{
	const struct record_read *read = call->read;

	if (read->read.err || !read->found)
		problem_err(call, read->read.err ? read->read.err : ERR_NOT_FOUND);
	return FLOW_ANSWERED;
}

enum flow record_get(struct call *call)
{
	struct record_read *read;
	int64_t id;

	if (!call_id(call, &id)) {
		problem_err(call, ERR_NOT_FOUND);
		return FLOW_ANSWERED;
	}
	if (call->list.query.expansions)
		return record_get_expanded(call, id);
	if (!versions_read(call, "If-None-Match", &call->versions))
		return FLOW_ANSWERED;
	read = record_read_new(call, id, record_get_on_record);
	return read ? call_read(call, &read->read, record_get_done) : FLOW_ANSWERED;
}
