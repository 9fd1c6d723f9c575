/* SPDX-License-Identifier: MIT */
/* Answers load balancers and supervisors, which need no access: /healthz says whether the process
 * runs, /readyz whether it can serve requests now. */
#include "api_private.h"
#include "base/clock.h"

/* An answer of the database counts for so long. Anybody can send requests for /readyz, and they
 * must not load the database. */
#define READY_MS 1000

#define OK_BODY "{\"status\":\"ok\"}"
#define WARNING_BODY "{\"status\":\"ok\",\"detail\":\"the last backup failed\"}"

static enum flow answer_ok(struct call *call, const char *body)
{
	struct http_response *response = &call->http->response;

	buf_add_text(&response->body, body);
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
	problem(call, PROBLEM_NOT_READY, "not ready: %s", reason);
	return FLOW_ANSWERED;
}

enum flow health_get(struct call *call)
{
	return answer_ok(call, OK_BODY);
}

static enum flow answer_database(struct call *call, bool ready)
{
	const atomic_bool *fails = call->app->backup_fails;

	return ready ? answer_ok(call, fails && atomic_load(fails) ? WARNING_BODY : OK_BODY)
		     : answer_not_ready(call, "the database does not answer", "1");
}

static enum flow ready_get_done(struct call *call)
{
	struct readiness *readiness = &call->app->readiness;
	enum err err = call->auth.lookup.read.err;
	/* ERR_BUSY, a full queue or a lock that another session holds, means load: the database can
	 * be reached. */
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

/* Whether this request must query the database. If not, `flow_out` is set: the request is answered,
 * or waits for the request that queries. */
static bool must_query(struct call *call, enum flow *flow_out)
{
	struct readiness *readiness = &call->app->readiness;
	bool known, ready, queries;

	pthread_mutex_lock(&readiness->lock);
	known = readiness->known_ms && monotonic_ms() - readiness->known_ms < READY_MS;
	ready = readiness->ready;
	queries = !known && !readiness->asking;
	if (queries) {
		readiness->asking = true;
	} else if (!known) {
		call_suspend(call);
		call->waiting = readiness->waiting;
		readiness->waiting = call;
	}
	pthread_mutex_unlock(&readiness->lock);
	if (!queries)
		*flow_out = known ? answer_database(call, ready) : FLOW_WAITS;
	return queries;
}

enum flow ready_get(struct call *call)
{
	enum flow flow = FLOW_ANSWERED;

	if (http_is_draining(call->http))
		return answer_not_ready(call, "the server is stopping", "5");
	if (!must_query(call, &flow))
		return flow;
	/* The lookup that every request begins with, for an account that cannot exist. */
	access_read_init(&call->auth.lookup, &call->http->arena);
	call->auth.lookup.account = call->auth.lookup.username = SLICE("");
	return call_read(call, &call->auth.lookup.read, ready_get_done);
}
