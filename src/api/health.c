/* SPDX-License-Identifier: MIT */
/* What a load balancer or a supervisor asks, without access: whether the process lives, and whether
 * it can serve requests now. */
#include "api/api_private.h"
#include "base/clock.h"
#include "json/write.h"

/* A database that answered so lately is not asked again: whoever asks has no access. */
#define READY_MS 1000

static enum flow answer_ok(struct call *call)
{
	struct http_response *response = &call->http->response;

	json_open_object(&response->body);
	json_put_key(&response->body, "status");
	json_put_plain(&response->body, SLICE("ok"));
	json_close_object(&response->body);
	http_add_header(call->http, "Content-Type", "application/json");
	http_add_header(call->http, "Cache-Control", "no-store");
	response->status = 200;
	return FLOW_ANSWERED;
}

static enum flow answer_not_ready(struct call *call, const char *reason)
{
	call->reason = "not ready";
	http_add_header(call->http, "Cache-Control", "no-store");
	problem(call, 503, "not ready: %s", reason);
	return FLOW_ANSWERED;
}

enum flow health_get(struct call *call)
{
	return answer_ok(call);
}

static enum flow database_asked(struct call *call)
{
	if (call->auth.lookup.read.err)
		return answer_not_ready(call, "the database does not answer");
	atomic_store(&call->app->ready_ms, monotonic_ms());
	return answer_ok(call);
}

enum flow ready_get(struct call *call)
{
	int64_t ready_ms = atomic_load(&call->app->ready_ms);

	if (http_is_draining(call->http))
		return answer_not_ready(call, "the server is stopping");
	if (ready_ms && monotonic_ms() - ready_ms < READY_MS)
		return answer_ok(call);
	/* The lookup that every request begins with, for an account that cannot exist. */
	access_read_init(&call->auth.lookup, &call->http->arena);
	call->auth.lookup.account = call->auth.lookup.username = SLICE("");
	return call_read(call, &call->auth.lookup.read, database_asked);
}
