/* SPDX-License-Identifier: MIT */
/* Sends a list in pieces if it is longer than ANSWER_BYTES. Each record is encoded when it is read,
 * in the snapshot of the list. docket keeps the first piece, and the id, the version and the length
 * of every other record. The client gets the first piece. docket reads the later pieces from the
 * history, which has exactly these versions. So the answer shows one moment, its length is known
 * from the start, and no snapshot stays open. */
#include "base/log.h"
#include "codec/codec.h"
#include "json/write.h"
#include "list_answer.h"

/* The most bytes of a piece. Only a piece of one record may be longer. */
#define PIECE_BYTES ((size_t)64 * 1024)
/* How often docket tries to read a piece in time. A client that has much of an answer already gets
 * more tries than a client that has nothing. */
#define TRIES_MAX 4
/* The bytes that a read of weight 1 reads. */
#define WEIGHT_BYTES ((size_t)16 * 1024)

struct piece_record {
	int64_t id, change;
	size_t len;            /* in the answer, with a comma and its expansions */
	const uint32_t *named; /* by related_find(), or NULL */
	uint32_t versions;     /* how many it needs: its own, and those of related records */
};

void pieces_begin(struct list_answer *answer)
{
	struct pieces *pieces = &answer->pieces;

	answer->out = &answer->call->http->response.body;
	buf_clear(answer->out);
	if (!answer->one)
		json_open_array(answer->out);
	pieces->first = 0;
	pieces->first_len = answer->out->len;
	pieces->len = 0;
	pieces->used = false;
}

void pieces_use(struct list_answer *answer)
{
	struct pieces *pieces = &answer->pieces;
	struct buf whole = *answer->out, *first = answer->out;

	*first = (struct buf){0};
	buf_add(first, whole.ptr, pieces->first_len);
	buf_release(&whole);
	answer->out = &pieces->record;
	buf_clear(answer->out);
	pieces->used = true;
}

static enum err keep_named(struct list_answer *answer, struct piece_record *record)
{
	const struct related *related = &answer->related;
	struct slice named = buf_slice(&answer->named);
	uint32_t *copy;

	record->named = NULL;
	record->versions = 1;
	if (!related->expansions)
		return OK;
	copy = arena_alloc(&answer->call->http->arena, named.len);
	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, named.ptr, named.len);
	record->named = copy;
	for (size_t i = 0; i < related->type->lists->expansion_count; i++)
		if (related->expansions & UINT32_C(1) << i)
			for (uint32_t count = *copy++; count; count--)
				record->versions += *copy++ > 0;
	return OK;
}

enum err pieces_add(struct list_answer *answer, const void *record, size_t begins)
{
	struct pieces *pieces = &answer->pieces;
	size_t at = answer->count, limit = answer->request->query.limit;
	const struct record *head = record;
	struct piece_record *added;
	enum err err = OK;

	if (!pieces->records)
		pieces->records =
			arena_alloc(&answer->call->http->arena, limit * sizeof(*pieces->records));
	if (!pieces->records || answer->out->failed || answer->named.failed)
		return ERR_NOMEM;
	added = &pieces->records[at];
	added->id = head->id;
	added->change = head->change;
	/* A record alone in the buffer has no comma in front, but needs one. */
	added->len = answer->out->len - begins + (pieces->used && at);
	pieces->len += added->len;
	if (!pieces->used && (!at || answer->out->len <= PIECE_BYTES)) {
		pieces->first = at + 1;
		pieces->first_len = answer->out->len;
	} else {
		err = keep_named(answer, added);
	}
	if (pieces->used)
		buf_clear(answer->out);
	else if (answer->out->len > ANSWER_BYTES)
		pieces_use(answer);
	return err;
}

/* Ends a piece, which is in response.body. */
static enum flow piece_end(struct call *call)
{
	const struct list_answer *answer = call->read;

	if (answer->pieces.end == answer->count)
		json_close_array(&call->http->response.body);
	return FLOW_RETURNS;
}

/* Puts the records of the piece. ERR_CORRUPT: one is not as long as it was. */
static enum err piece_put(const struct list_answer *answer, struct buf *body)
{
	const struct pieces *pieces = &answer->pieces;
	const struct slice *values = pieces->read.values;

	for (size_t i = pieces->next; i < pieces->end; i++) {
		const struct piece_record *record = &pieces->records[i];
		size_t begins = body->len;

		if (i)
			buf_add_char(body, ',');
		buf_add(body, values->ptr, values->len ? values->len - 1 : 0);
		if (record->named)
			related_put(&answer->related, record->named, values + 1, body);
		json_close_object(body);
		if (body->failed)
			return ERR_NOMEM;
		if (body->len - begins != record->len)
			return ERR_CORRUPT;
		values += record->versions;
	}
	return OK;
}

static enum flow piece_read(struct call *call);

static enum flow piece_read_done(struct call *call)
{
	struct list_answer *answer = call->read;
	struct pieces *pieces = &answer->pieces;
	struct buf *body = &call->http->response.body;
	enum err err = pieces->read.read.err;

	if (!err && pieces->read.found < pieces->read.count)
		err = ERR_CORRUPT;
	if (!err)
		err = piece_put(answer, body);
	arena_release(&pieces->arena);
	if ((err == ERR_TIMEOUT || err == ERR_BUSY) && ++pieces->tries < TRIES_MAX)
		return piece_read(call);
	pieces->next = pieces->end;
	if (!err)
		return piece_end(call);
	if (err == ERR_CORRUPT)
		log_line("request %s: the history does not have the records of a list as they are;"
			 " docket check says more",
			 call->http->id);
	call->reason = err_text(err);
	buf_release(body);
	return FLOW_RETURNS;
}

/* Chooses the records of the next piece. */
static void piece_choose(struct list_answer *answer)
{
	struct pieces *pieces = &answer->pieces;

	pieces->tries = 0;
	pieces->read_len = pieces->read_count = 0;
	for (pieces->end = pieces->next; pieces->end < answer->count; pieces->end++) {
		const struct piece_record *record = &pieces->records[pieces->end];

		if (pieces->read_count && pieces->read_len + record->len > PIECE_BYTES)
			break;
		pieces->read_len += record->len;
		pieces->read_count += record->versions;
	}
}

static struct record_version *put_versions(const struct list_answer *answer,
					   const struct piece_record *record,
					   struct record_version *to)
{
	const struct related *related = &answer->related;
	const uint32_t *named = record->named;

	*to++ = (struct record_version){answer->type, record->id, record->change};
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

static enum flow piece_read(struct call *call)
{
	struct list_answer *answer = call->read;
	struct pieces *pieces = &answer->pieces;
	struct record_version *versions =
		arena_alloc(&pieces->arena, pieces->read_count * sizeof(*versions));
	struct record_version *end = versions;

	for (size_t i = pieces->next; versions && i < pieces->end; i++)
		end = put_versions(answer, &pieces->records[i], end);
	if (!versions)
		return FLOW_RETURNS;
	versions_read_init(&pieces->read, &pieces->arena);
	pieces->read.scope = call->scope;
	pieces->read.versions = versions;
	pieces->read.count = pieces->read_count;
	pieces->read.read.job.weight = 1 + pieces->read_len / WEIGHT_BYTES;
	return call_read(call, &pieces->read.read, piece_read_done);
}

static enum flow pieces_more(struct call *call)
{
	struct list_answer *answer = call->read;

	piece_choose(answer);
	return answer->pieces.read_count ? piece_read(call) : piece_end(call);
}

void pieces_end(struct list_answer *answer)
{
	struct pieces *pieces = &answer->pieces;
	struct http_response *response = &answer->call->http->response;

	if (!pieces->used) {
		json_close_array(answer->out);
		return;
	}
	/* The length of all records and of the two brackets, without the first piece. */
	response->more = pieces->len + 2 - pieces->first_len;
	pieces->next = pieces->first;
	answer->call->more = pieces_more;
}
