/* SPDX-License-Identifier: MIT */
/* Answers with lists and with single records, of any kind. Each record is written to the answer
 * when it is read. */
#include <errno.h>
#include <stdlib.h>

#include "list_answer.h"
#include "cache/record_cache.h"
#include "codec/codec.h"
#include "json/write.h"
#include "lists/lists.h"
#include "records/records.h"

#define ID_DIGITS_MAX 20
#define LONG_PAGE 100

static enum err answer_on_related(void *context, size_t expansion, const void *record)
{
	struct list_answer *answer = context;

	return related_add(&answer->related, expansion, record, &answer->pieces.call->http->arena);
}

/* Counts a record that was added to the answer, from the offset `begins` of pieces.out. */
static enum err answer_count(struct list_answer *answer, const struct record *record, size_t begins)
{
	const struct list_query *query = &answer->request->query;
	struct pieces *pieces = &answer->pieces;
	struct piece_item *kept;
	enum err err = OK;

	if (answer->named.failed)
		return ERR_NOMEM;
	kept = pieces_add(
		pieces,
		(struct piece_item){.id = record->id, .change = record->change, .versions = 1},
		begins);
	if (kept && query->expansions)
		err = list_keep_named(answer, kept);
	if (pieces->count == query->limit && !err) {
		const char *text;

		answer->last = list_position_of(record, query->sort);
		text = arena_copy(&pieces->call->http->arena, answer->last.text);
		if (!text)
			return ERR_NOMEM;
		answer->last.text.ptr = text;
	}
	return pieces->out->failed ? ERR_NOMEM : err;
}

/* Keeps the record that was just encoded for later answers. */
static void answer_keep(const struct list_answer *answer, const struct record *record,
			size_t begins)
{
	struct slice json = {answer->pieces.out->ptr + begins, answer->pieces.out->len - begins};

	if (json.len && *json.ptr == ',') {
		json.ptr++;
		json.len--;
	}
	if (!answer->pieces.out->failed)
		store_keep_cached(&answer->read.read, &answer->read.scope, answer->read.kind,
				  record->id, record->change, json);
}

static enum err answer_on_cached(void *context, const struct cached_record *cached)
{
	const struct record record = {.id = cached->id, .change = cached->change};
	struct list_answer *answer = context;
	size_t begins = answer->pieces.out->len;

	json_put_raw(answer->pieces.out, cached->json);
	return answer_count(answer, &record, begins);
}

static enum err answer_on_record(void *context, const void *record)
{
	struct list_answer *answer = context;
	const struct list_query *query = &answer->request->query;
	size_t begins;

	if (answer->related.bytes > ANSWER_BYTES && !answer->one && !answer->pieces.used)
		pieces_use(&answer->pieces);
	begins = answer->pieces.out->len;
	json_open_object(answer->pieces.out);
	encode_members(answer->type, record, answer->pieces.out);
	if (query->expansions) {
		related_find(&answer->related, record, &answer->named);
		if (!answer->named.failed)
			related_put(&answer->related, (const void *)answer->named.ptr, NULL,
				    answer->pieces.out);
	}
	json_close_object(answer->pieces.out);
	if (!query->expansions)
		answer_keep(answer, record, begins);
	return answer_count(answer, record, begins);
}

static void answer_begin(void *context)
{
	struct list_answer *answer = context;

	pieces_begin(&answer->pieces, answer->one ? "" : "[");
	related_clear(&answer->related);
}

/* A page of many records, or a count, may take long. A reading thread runs it, so that it does not
 * hold up the other clients of the HTTP thread. */
static void list_read_weigh(struct list_read *read)
{
	read->read.job.is_long = read->counts || read->query->limit > LONG_PAGE;
	read->read.job.weight = 1 + read->query->limit / ITEMS_PER_WEIGHT;
}

static struct list_answer *list_answer_new(struct call *call)
{
	struct list_answer *answer = arena_alloc(&call->http->arena, sizeof(*answer));

	if (!answer) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	list_read_init(&answer->read, call->route->kind, &call->http->arena);
	answer->read.scope = call->scope;
	answer->request = call->request;
	answer->read.query = &answer->request->query;
	answer->read.sink = (struct list_sink){.begin = answer_begin,
					       .on_record = answer_on_record,
					       .on_cached = answer_on_cached,
					       .on_related = answer_on_related,
					       .context = answer};
	answer->read.counts = answer->request->count;
	list_read_weigh(&answer->read);
	answer->pieces.call = call;
	answer->pieces.limit = answer->request->query.limit;
	answer->pieces.read = list_piece_read;
	answer->pieces.put = list_piece_put;
	answer->type = record_types[call->route->kind];
	answer->related.type = answer->type;
	answer->related.expansions = answer->request->query.expansions;
	call->read = answer;
	return answer;
}

static void list_answer_count(struct call *call, int64_t count)
{
	struct buf *out = &call->http->response.body;
	const struct list_request *request = call->request;
	int64_t limit = (int64_t)request->query.limit;

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

/* Frees what only the read needed. */
static void list_answer_release(struct list_answer *answer)
{
	arena_release(&answer->related.arena);
	buf_release(&answer->named);
	pieces_release(&answer->pieces);
}

static enum flow list_read_done(struct call *call)
{
	struct list_answer *answer = call->read;
	enum err err = answer->read.read.err;

	list_answer_release(answer);
	if (err)
		return answer_json(call, err);
	if (answer->request->count) {
		list_answer_count(call, answer->read.count);
	} else {
		err = page_links(call, answer->read.more ? &answer->last : NULL,
				 answer->pieces.count == 0);
	}
	if (err == ERR_INVALID) {
		faults_add(&call->faults, "query", FAULT_TOO_LONG,
			   "is too long for a link to the next page: give fewer values");
		problem_faults(call, PROBLEM_INVALID_PARAMETER);
		return FLOW_ANSWERED;
	}
	if (!err && !answer->request->count)
		pieces_end(&answer->pieces, "]");
	return answer_json(call, err);
}

enum flow record_list(struct call *call)
{
	struct list_answer *answer = list_answer_new(call);

	return answer ? call_read(call, &answer->read.read, list_read_done) : FLOW_ANSWERED;
}

bool call_id(const struct call *call, int64_t *id_out)
{
	size_t len = call->id_text.len;

	errno = 0;
	*id_out = strtoll(call->id_text.ptr, NULL, 10);
	/* Leading zeros are accepted, but not so many that the path is too long for a link. */
	return len <= ID_DIGITS_MAX && strspn(call->id_text.ptr, "0123456789") == len && !errno;
}

/* Answers with the record in the body. */
static void record_get_answer(struct call *call, int64_t change)
{
	answer_record(call, change, ID_NONE);
	/* The client has the current version (RFC 9110, section 13.1.2). */
	if (call->versions.given && call->http->response.status == 200 &&
	    versions_name(&call->versions, change))
		call->http->response.status = 304; /* without the body */
}

static enum err record_get_on_record(void *context, const void *record)
{
	struct call *call = context;
	const struct record_read *read = call->read;
	int64_t change = ((const struct record *)record)->change;
	struct buf *body = &call->http->response.body;

	buf_clear(body);
	call->http->response.header_count = 0;
	encode_record(record_types[read->kind], record, body);
	if (!body->failed)
		store_keep_cached(&read->read, &read->scope, read->kind, read->id, change,
				  buf_slice(body));
	record_get_answer(call, change);
	return OK;
}

/* Answers from the cache of records. False: the record must be read. */
static bool record_get_cached(struct call *call, int64_t id)
{
	struct cached_record *cached =
		store_find_cached(call->app->store, &call->scope, call->route->kind, id, SEEN_NOW);

	if (!cached)
		return false;
	buf_add_slice(&call->http->response.body, cached->json);
	record_get_answer(call, cached->change);
	cached_record_drop(cached);
	return true;
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
	struct list_answer *answer = call->read;
	enum err err = answer->read.read.err;

	list_answer_release(answer);
	return answer_json(call, err ? err : answer->pieces.count ? OK : ERR_NOT_FOUND);
}

/* Answers with a record and those that it refers to. Each of these has a version of its own, so
 * there is no ETag. */
static enum flow record_get_expanded(struct call *call, int64_t id)
{
	struct list_request *request = call->request;
	struct list_query *query = &request->query;
	struct list_answer *answer = list_answer_new(call);
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
	answer->one = answer->related.keeps_all = true;
	return call_read(call, &answer->read.read, record_expanded_done);
}

static enum flow record_get_done(struct call *call)
{
	const struct record_read *read = call->read;

	if (!read->read.err && read->found)
		return FLOW_ANSWERED;
	/* A read that was broken off may have set the headers of its record. */
	call->http->response.header_count = 0;
	problem_err(call, read->read.err ? read->read.err : ERR_NOT_FOUND);
	return FLOW_ANSWERED;
}

enum flow record_get(struct call *call)
{
	const struct list_request *request = call->request;
	struct record_read *read;
	int64_t id;

	if (!call_id(call, &id)) {
		problem_err(call, ERR_NOT_FOUND);
		return FLOW_ANSWERED;
	}
	if (request->query.expansions)
		return record_get_expanded(call, id);
	if (!versions_read(call, "If-None-Match", &call->versions) || record_get_cached(call, id))
		return FLOW_ANSWERED;
	read = record_read_new(call, id, record_get_on_record);
	return read ? call_read(call, &read->read, record_get_done) : FLOW_ANSWERED;
}
