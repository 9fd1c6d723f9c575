/* SPDX-License-Identifier: MIT */
/* What a load balancer or a supervisor asks, without access: whether the process lives, and whether
 * it can serve requests now. */
#include "api_private.h"
#include "base/clock.h"
#include "json/write.h"

/* A database that was asked so lately is not asked again: whoever asks has no access. */
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

static enum flow answer_not_ready(struct call *call, const char *reason, const char *retry_after)
{
	call->reason = "not ready";
	http_add_header(call->http, "Cache-Control", "no-store");
	http_add_header(call->http, "Retry-After", retry_after);
	problem(call, 503, "not ready: %s", reason);
	return FLOW_ANSWERED;
}

enum flow health_get(struct call *call)
{
	return answer_ok(call);
}

static enum flow answer_database(struct call *call, bool ready)
{
	return ready ? answer_ok(call)
		     : answer_not_ready(call, "the database does not answer", "1");
}

static enum flow database_asked(struct call *call)
{
	struct readiness *readiness = &call->app->readiness;
	enum err err = call->auth.lookup.read.err;
	/* A full queue or a lock of somebody else is load: the database is there. */
	bool ready = !err || err == ERR_BUSY;
	struct call *waiting;

	pthread_mutex_lock(&readiness->lock);
	readiness->known_ms = monotonic_ms();
	readiness->ready = ready;
	readiness->asking = false;
	waiting = readiness->waiting;
	readiness->waiting = NULL;
	pthread_mutex_unlock(&readiness->lock);
	while (waiting) {
		struct call *other = waiting;

		waiting = other->waiting;
		call_end_step(other, answer_database(other, ready));
	}
	return answer_database(call, ready);
}

/* Whether this request is the one that asks. If not it has its answer, or waits for that of the one
 * that does. */
static bool must_ask(struct call *call, enum flow *flow_out)
{
	struct readiness *readiness = &call->app->readiness;
	bool known, ready, asks;

	pthread_mutex_lock(&readiness->lock);
	known = readiness->known_ms && monotonic_ms() - readiness->known_ms < READY_MS;
	ready = readiness->ready;
	asks = !known && !readiness->asking;
	if (asks) {
		readiness->asking = true;
	} else if (!known) {
		call_suspend(call);
		call->waiting = readiness->waiting;
		readiness->waiting = call;
	}
	pthread_mutex_unlock(&readiness->lock);
	if (!asks)
		*flow_out = known ? answer_database(call, ready) : FLOW_WAITS;
	return asks;
}

enum flow ready_get(struct call *call)
{
	enum flow flow = FLOW_ANSWERED;

	if (http_is_draining(call->http))
		return answer_not_ready(call, "the server is stopping", "5");
	if (!must_ask(call, &flow))
		return flow;
	/* The lookup that every request begins with, for an account that cannot exist. */
	access_read_init(&call->auth.lookup, &call->http->arena);
	call->auth.lookup.account = call->auth.lookup.username = SLICE("");
	return call_read(call, &call->auth.lookup.read, database_asked);
}
