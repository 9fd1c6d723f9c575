/* SPDX-License-Identifier: MIT */
/* Writes of any kind: the Idempotency-Key, the preview, the queue to the writer, and the answer. */
#include "pipeline_private.h"

#define KEY_MAX 255           /* bytes of an Idempotency-Key */
#define BYTES_PER_WEIGHT 4096 /* of a body, that are as much work as a small request */

/* Answers as the first create with the key was answered. */
static void write_answer_again(struct call *call)
{
	const struct idempotency *key = call->stored->key;

	if (key->values) {
		call->route->finish(call);
		return;
	}
	buf_add_slice(&call->http->response.body, key->value);
	answer_record(call, key->change, key->record_id);
}

void write_answer(struct call *call)
{
	const struct store_write *write = call->stored;

	if (!write->err && write->key && write->key->again)
		write_answer_again(call);
	else
		call->route->finish(call);
}

/* Reads the header Idempotency-Key of a create: 1 to 255 visible ASCII characters. False: it is
 * wrong, and the request is answered. */
static bool write_read_key(struct call *call, struct store_write *write)
{
	struct slice text;
	struct digest digest;

	if (strcmp(call->http->method, "POST") != 0 ||
	    !http_header(call->http, "Idempotency-Key").ptr)
		return true;
	write->key = arena_alloc(&call->http->arena, sizeof(*write->key));
	if (!write->key || http_header_list(call->http, "Idempotency-Key", &text)) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			text.len = 0;
	if (text.len == 0 || text.len > KEY_MAX) {
		problem(call, PROBLEM_MALFORMED_HEADER,
			"the header Idempotency-Key must have 1 to %d visible ASCII characters",
			KEY_MAX);
		return false;
	}
	write->key->route = call->route->path;
	write->key->key = text;
	digest_init(&digest);
	digest_add(&digest, call->http->body);
	digest_final(&digest, write->key->body_hash);
	return true;
}

static enum flow write_previewed(struct call *call)
{
	struct write_preview *preview = call->preview;
	enum err err = preview->read.err ? preview->read.err : write_preview_decide(preview);

	if (err)
		problem_err(call, err);
	else
		write_answer(call);
	return FLOW_ANSWERED;
}

static enum flow write_preview(struct call *call, struct store_write *write)
{
	enum err err = ERR_NOMEM;

	request_enter(call, PHASE_PREVIEW);
	call->preview = arena_alloc(write->arena, sizeof(*call->preview));
	if (call->preview)
		err = write_preview_init(call->preview, call->app->store, write);
	if (err) {
		problem_err(call, err);
		return FLOW_ANSWERED;
	}
	call->preview->account.time_zone = call->access.account.time_zone;
	return call_read(call, &call->preview->read, write_previewed);
}

/* On the writer's thread. */
static void write_done(void *context)
{
	http_resume(context);
}

static enum flow write_submit(struct call *call, struct store_write *write)
{
	enum err err;

	request_enter(call, PHASE_WRITE);
	call_suspend(call);
	/* Once the write is queued, it and its outcome belong to the writer. */
	err = store_submit(call->app->store, write);
	if (!err)
		return FLOW_WAITS;
	write->err = err;
	return FLOW_RETURNS;
}

enum flow call_write(struct call *call, struct store_write *write)
{
	if (call->faults.nomem) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	if (!write_read_key(call, write))
		return FLOW_ANSWERED;
	call->stored = write;
	write->job.weight += 1 + call->http->body.len / BYTES_PER_WEIGHT;
	if (!admit_write(call))
		return FLOW_ANSWERED;
	write->scope = call->scope;
	write->job.era = &call->era;
	write->arena = &call->http->arena;
	write->faults = &call->faults;
	write->request_id = slice_of(call->http->id);
	write->done = write_done;
	write->context = call->http;
	return call->faults.count || call->dry_run ? write_preview(call, write)
						   : write_submit(call, write);
}
