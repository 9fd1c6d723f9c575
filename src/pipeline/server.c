/* SPDX-License-Identifier: MIT */
/* The pipeline: every request goes through these steps. libmicrohttpd's threads call them after the
 * head, after the body, and once more after the request was suspended. phase.c says which phase may
 * follow which.
 *
 *	head    → route, OPTIONS, size of the body
 *	access  → account, staff member and token; method; headers of the body; Prefer
 *	body    → JSON
 *	handler → parameters; then a read that answers, or a write
 *	answer  → of a long one piece after the other, as the client takes them
 *
 * If the body is large or may arrive slowly, access is decided before the body is read. Otherwise
 * it is decided after it, which saves a step. */
#include <assert.h>

#include "pipeline_private.h"
#include "base/clock.h"

static struct call *request_new(struct app *app, struct http_request *http)
{
	struct call *call;

	trace_begin(http);
	call = arena_alloc(&http->arena, sizeof(*call));
	if (!call) {
		http->response.status = 503;
		return NULL;
	}
	call->app = app;
	call->http = http;
	call->source = trace_source(app, http, &call->source_known);
	call->phase = PHASE_HEAD;
	call->era = store_era(app->store);
	faults_init(&call->faults, &http->arena);
	http->app_data = call;
	return call;
}

void call_suspend(struct call *call)
{
	if (!call->suspended)
		http_suspend(call->http);
	call->suspended = true;
}

void call_end_step(struct call *call, enum flow flow)
{
	if (flow == FLOW_WAITS)
		return;
	if (flow == FLOW_ANSWERED)
		request_enter(call, PHASE_ANSWERED);
	else if (call->phase == PHASE_ANSWERED)
		admit_piece(call);
	if (call->suspended)
		http_resume(call->http);
	else if (flow == FLOW_ANSWERED)
		answer_add_ignored(call);
}

static void request_waits(void *context)
{
	call_suspend(context);
}

static void request_read_done(void *context)
{
	struct call *call = context;

	call_end_step(call, call->next(call));
}

enum flow call_read(struct call *call, struct store_read *read, enum flow (*next)(struct call *))
{
	call->next = next;
	read->job.lane = call->scope.account_id;
	read->request_id = slice_of(call->http->id);
	read->job.era = &call->era;
	read->done = request_read_done;
	read->waits = request_waits;
	read->context = call;
	return store_start(call->app->store, read) ? next(call) : FLOW_WAITS;
}

bool call_only_reads(const struct call *call)
{
	const char *method = call->http->method;

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* False: the path does not exist or does not take the method from this client, and the request is
 * answered. */
static bool request_take_route(struct call *call)
{
	const struct match *match = &call->match;

	if (match->route && !access_allows(call, route_scopes(match->route)))
		return false;
	if (match->route) {
		call->route = match->route;
		call->id_text = match->id_text;
		return true;
	}
	if (match->path_known) {
		answer_add_allow(call);
		problem(call, PROBLEM_METHOD, "this path does not allow %s; it allows %s",
			call->http->method, match->allow);
	} else {
		answer_no_path(call);
	}
	return false;
}

/* Access was given and the body was read. */
static enum flow request_handle(struct call *call)
{
	request_enter(call, PHASE_HANDLER);
	return body_parse(call) && params_check(call) ? call->route->handle(call) : FLOW_ANSWERED;
}

/* The path needs no access. Its routes take neither parameters nor a body. */
static enum flow request_handle_open(struct call *call)
{
	request_enter(call, PHASE_HANDLER);
	return request_take_route(call) ? call->route->handle(call) : FLOW_ANSWERED;
}

static enum flow request_access_known(struct call *call)
{
	if (!access_decide(call) || !request_take_route(call) || !body_check_headers(call) ||
	    !prefer_read(call))
		return FLOW_ANSWERED;
	return call->phase == PHASE_ACCESS ? request_handle(call) : admit_body(call);
}

static enum flow request_look_up_access(struct call *call, enum request_phase phase)
{
	request_enter(call, phase);
	return access_look_up(call, request_access_known);
}

/* Whether access is decided before the body is read: the body is large or may arrive slowly. */
static bool body_comes_late(const struct http_request *http)
{
	return http->content_length > CHARGE_FREE || http->expects_continue || http->in_chunks;
}

static enum flow request_take_head(struct call *call)
{
	struct http_request *http = call->http;

	if (route_find(call->app->routes, http->path, http->method, &http->arena, &call->match)) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	if (strcmp(http->method, "OPTIONS") == 0) {
		answer_options(call);
		return FLOW_ANSWERED;
	}
	if (!call->match.open)
		call->account = access_account(call);
	if (http->content_length > API_BODY_LIMIT) {
		problem(call, PROBLEM_BODY_SIZE, "the body has %llu bytes; at most %d are allowed",
			(unsigned long long)http->content_length, API_BODY_LIMIT);
		return FLOW_ANSWERED;
	}
	if (!body_comes_late(http)) {
		request_enter(call, PHASE_BODY);
		return FLOW_RETURNS;
	}
	return call->match.open ? request_handle_open(call)
				: request_look_up_access(call, PHASE_ACCESS_EARLY);
}

static enum flow request_take_body(struct call *call)
{
	/* The request is not suspended now, but may be suspended again. */
	call->suspended = false;
	if (call->phase == PHASE_BODY_ALLOWED)
		return request_handle(call);
	return call->match.open ? request_handle_open(call)
				: request_look_up_access(call, PHASE_ACCESS);
}

static void request_on_head(void *data, struct http_request *http)
{
	struct call *call = request_new(data, http);

	if (call)
		call_end_step(call, request_take_head(call));
}

static void request_on_body(void *data, struct http_request *http)
{
	struct call *call = http->app_data;

	(void)data;
	call_end_step(call, request_take_body(call));
}

static void request_on_resume(void *data, struct http_request *http)
{
	struct call *call = http->app_data;

	(void)data;
	if (call->phase == PHASE_WRITE) {
		write_answer(call);
		request_enter(call, PHASE_ANSWERED);
	}
	assert(call->phase == PHASE_ANSWERED);
	answer_add_ignored(call);
}

static void request_on_more(void *data, struct http_request *http)
{
	struct call *call = http->app_data;

	(void)data;
	call->suspended = false;
	call_end_step(call, call->more(call));
}

static void request_on_end(void *data, struct http_request *http)
{
	const struct app *app = data;
	struct call *call = http->app_data;
	int64_t us = monotonic_us() - http->began_us;

	traffic_count(app->traffic, http, call, us);
	trace_end(app, http, call, us);
	if (!call)
		return;
	json_decref(call->body);
	buf_release(&call->ignored);
	charge_end(&call->charge);
}

static void request_on_answer(void *data, struct http_request *http)
{
	if (http->app_data)
		admit_answer(http->app_data);
	if (http->app_data)
		answer_add_rates(http->app_data);
	cors_answer(data, http);
}

static void request_on_refused(void *data, struct http_request *http, unsigned status,
			       const char *why)
{
	struct call *call = http->app_data ? http->app_data : request_new(data, http);

	if (!call)
		return;
	problem(call, problem_of_status(status), "%s%s",
		status == 400 ? "the request is malformed: " : "", why);
	request_enter(call, PHASE_ANSWERED);
}

const struct http_app pipeline_app = {
	.on_head = request_on_head,
	.on_body = request_on_body,
	.on_resume = request_on_resume,
	.on_more = request_on_more,
	.on_answer = request_on_answer,
	.on_end = request_on_end,
	.on_refused = request_on_refused,
	.body_limit = API_BODY_LIMIT,
};
