/* SPDX-License-Identifier: MIT */
/* Charges the memory of a request to the budget, step by step: its body with room for the parsed
 * body, the parsed body, the decoded write while it waits, the answer until it is sent.
 * docs/design/load.md has the measurements behind the factors. */
#include "pipeline_private.h"
#include "json/read.h"

/* How long a request waits for room before its body is read. A client that waits for "100 Continue"
 * sends its body after a second in any case, so it gets its answer earlier. */
#define WAIT_MS 1000
#define WAIT_CONTINUE_MS 500
/* BODY_FACTOR: the bytes that are charged for each byte of a body before it is read. USUAL_FACTOR:
 * if the parsed or decoded body takes more than this for each byte, the request may still be
 * refused. */
#define BODY_FACTOR 8
#define USUAL_FACTOR 16
/* A decoded write with at most so many bytes is not charged. */
#define WRITE_FREE ((size_t)32 * 1024)

static bool admission_refuse(struct call *call, enum admission admission)
{
	bool full = admission == BUDGET_FULL;
	unsigned seconds;

	if (admission == ADMITTED)
		return false;
	seconds = charge_refuse(&call->charge, admission);
	answer_add_retry_after(call, seconds);
	call->reason = full ? "memory limit" : "memory share";
	problem(call, full ? PROBLEM_MEMORY : PROBLEM_SHARE, "%s%s; try again in %u s",
		full ? "the requests under way use all memory that they may"
		     : "the requests under way of this account, or from this address, use all "
		       "of their share of the server's memory",
		call_only_reads(call) ? "" : "; nothing was stored", seconds);
	return true;
}

static enum flow body_decide(struct call *call, enum admission admission)
{
	if (admission_refuse(call, admission))
		return FLOW_ANSWERED;
	request_enter(call, PHASE_BODY_ALLOWED);
	return FLOW_RETURNS;
}

static void body_waited(void *context, enum admission admission)
{
	struct call *call = context;

	call_end_step(call, body_decide(call, admission));
}

enum flow admit_body(struct call *call)
{
	const struct http_request *http = call->http;
	/* A body in chunks may have any length. */
	size_t bytes =
		http->in_chunks ? API_BODY_LIMIT : (size_t)http->content_length * BODY_FACTOR;
	enum admission admission;

	request_enter(call, PHASE_ROOM);
	if (!http->in_chunks && http->content_length <= CHARGE_FREE)
		return body_decide(call, ADMITTED);
	admission = charge_wait(&call->charge, bytes, 0, NULL, NULL);
	if (admission == ADMITTED)
		return body_decide(call, admission);
	call_suspend(call);
	admission =
		charge_wait(&call->charge, bytes,
			    http->expects_continue ? WAIT_CONTINUE_MS : WAIT_MS, body_waited, call);
	return admission == WAITS ? FLOW_WAITS : body_decide(call, admission);
}

/* Changes the charge after the body was parsed or decoded into `bytes`. False: there is no room,
 * and the request is answered. */
static bool body_has_become(struct call *call, size_t bytes)
{
	if (bytes > call->http->body.len * USUAL_FACTOR)
		return !admission_refuse(call, charge_ask(&call->charge, bytes));
	charge_set(&call->charge, bytes);
	return true;
}

bool admit_tree(struct call *call)
{
	size_t text = call->http->body.len, bytes = 0;

	if (text > CHARGE_FREE) {
		bytes = text + json_tree_bytes(call->http->body);
		if (bytes < text * BODY_FACTOR)
			bytes = text * BODY_FACTOR;
	}
	return body_has_become(call, bytes);
}

static void body_drop(struct call *call)
{
	json_decref(call->body);
	call->body = NULL;
	http_drop_body(call->http);
}

/* The bytes of the request without its bodies. */
static size_t decoded_bytes(const struct call *call)
{
	return call->http->arena.size + call->ignored.cap;
}

bool admit_write(struct call *call)
{
	size_t bytes = decoded_bytes(call);
	bool admitted = body_has_become(call, bytes > WRITE_FREE ? bytes : 0);

	body_drop(call);
	return admitted;
}

/* What the body of the answer takes, or its piece. */
static size_t answer_bytes(const struct call *call)
{
	const struct http_response *response = &call->http->response;

	return response->body.len + (call->more ? HTTP_BLOCK : 0);
}

void admit_piece(struct call *call)
{
	if (call->charge.budget)
		charge_set(&call->charge, answer_bytes(call) + decoded_bytes(call));
}

void admit_answer(struct call *call)
{
	struct http_response *response = &call->http->response;
	size_t bytes = answer_bytes(call);
	enum admission admission;

	body_drop(call);
	if (!call->charge.budget)
		return;
	if (call->charge.bytes || bytes > CHARGE_FREE)
		bytes += decoded_bytes(call);
	/* A write is stored by now, so its answer is never refused. */
	if (!call_only_reads(call) || response->status != 200) {
		charge_set(&call->charge, bytes);
		return;
	}
	admission = charge_ask(&call->charge, bytes);
	if (admission == ADMITTED)
		return;
	buf_release(&response->body);
	*response = (struct http_response){0};
	admission_refuse(call, admission);
}
