/* SPDX-License-Identifier: MIT */
#include "pipeline/pieces.h"

#include "base/log.h"

/* The most bytes of a piece. Only a piece of one item may be longer. */
#define PIECE_BYTES ((size_t)64 * 1024)
/* How often docket tries to read a piece in time. A client that has much of an answer already gets
 * more tries than a client that has nothing. */
#define TRIES_MAX 4
/* The bytes that a read of weight 1 reads. */
#define WEIGHT_BYTES ((size_t)16 * 1024)

void pieces_begin(struct pieces *pieces, const char *head)
{
	pieces->out = &pieces->call->http->response.body;
	buf_clear(pieces->out);
	buf_add_text(pieces->out, head);
	pieces->count = pieces->first = 0;
	pieces->len = pieces->first_len = pieces->out->len;
	pieces->used = false;
}

void pieces_use(struct pieces *pieces)
{
	struct buf whole = *pieces->out, *first = pieces->out;

	*first = (struct buf){0};
	buf_add(first, whole.ptr, pieces->first_len);
	buf_release(&whole);
	pieces->out = &pieces->item;
	buf_clear(pieces->out);
	pieces->used = true;
}

/* Keeps an item that is not in the first piece. */
static struct piece_item *pieces_keep(struct pieces *pieces, struct piece_item item, size_t at)
{
	struct arena *arena = &pieces->call->http->arena;

	if (!pieces->items)
		pieces->items = arena_alloc(arena, pieces->limit * sizeof(*pieces->items));
	if (!pieces->items) {
		pieces->out->failed = true;
		return NULL;
	}
	pieces->items[at] = item;
	return &pieces->items[at];
}

struct piece_item *pieces_add(struct pieces *pieces, struct piece_item item, size_t begins)
{
	size_t at = pieces->count++;

	if (pieces->out->failed)
		return NULL;
	/* An item alone in the buffer has no comma in front, but needs one. */
	item.len = pieces->out->len - begins + (pieces->used && at);
	pieces->len += item.len;
	if (!pieces->used && (!at || pieces->out->len <= PIECE_BYTES)) {
		pieces->first = at + 1;
		pieces->first_len = pieces->out->len;
		return NULL;
	}
	if (pieces->used)
		buf_clear(pieces->out);
	else if (pieces->out->len > ANSWER_BYTES)
		pieces_use(pieces);
	return pieces_keep(pieces, item, at);
}

/* Ends a piece, which is in the body. */
static enum flow piece_end(const struct pieces *pieces)
{
	if (pieces->end == pieces->count)
		buf_add_text(pieces->out, pieces->tail);
	return FLOW_RETURNS;
}

static enum flow piece_read(struct pieces *pieces);

static enum flow piece_read_done(struct call *call)
{
	struct pieces *pieces = call->pieces;
	struct buf *body = pieces->out;
	enum err err = pieces->put(pieces, pieces->current->err);

	if (!err && body->failed)
		err = ERR_NOMEM;
	if (!err && body->len != pieces->piece_len)
		err = ERR_CORRUPT;
	arena_release(&pieces->arena);
	if ((err == ERR_TIMEOUT || err == ERR_BUSY) && ++pieces->tries < TRIES_MAX)
		return piece_read(pieces);
	pieces->next = pieces->end;
	if (!err)
		return piece_end(pieces);
	if (err == ERR_CORRUPT)
		log_line("request %s: the history does not have the changes of an answer as they "
			 "were; docket check says more",
			 call->http->id);
	call->reason = err_text(err);
	buf_release(body);
	return FLOW_RETURNS;
}

static enum flow piece_read(struct pieces *pieces)
{
	pieces->current = pieces->read(pieces);
	if (!pieces->current)
		return FLOW_RETURNS;
	pieces->current->job.weight = 1 + pieces->piece_len / WEIGHT_BYTES;
	return call_read(pieces->call, pieces->current, piece_read_done);
}

static enum flow pieces_more(struct call *call)
{
	struct pieces *pieces = call->pieces;

	pieces->tries = 0;
	pieces->piece_len = 0;
	for (pieces->end = pieces->next; pieces->end < pieces->count; pieces->end++) {
		size_t len = pieces->items[pieces->end].len;

		if (pieces->piece_len && pieces->piece_len + len > PIECE_BYTES)
			break;
		pieces->piece_len += len;
	}
	return pieces->piece_len ? piece_read(pieces) : piece_end(pieces);
}

void pieces_end(struct pieces *pieces, const char *tail)
{
	struct call *call = pieces->call;

	if (!pieces->used) {
		buf_add_text(pieces->out, tail);
		return;
	}
	call->http->response.more = pieces->len + strlen(tail) - pieces->first_len;
	pieces->tail = tail;
	pieces->out = &call->http->response.body;
	pieces->next = pieces->first;
	call->pieces = pieces;
	call->more = pieces_more;
}

void pieces_release(struct pieces *pieces)
{
	buf_release(&pieces->item);
}
