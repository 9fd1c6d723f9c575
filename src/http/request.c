/* SPDX-License-Identifier: MIT */
/* Requests and answers, on libmicrohttpd's threads. Each request is one object from its first line
 * to its end. It goes through the states below on its connection's thread. */
#include <assert.h>

#include "base/array.h"
#include "base/clock.h"
#include "connections.h"
#include "direct.h"
#include "guard.h"
#include "http_private.h"
#include "room.h"

/* A year. Without includeSubDomains (RFC 6797), because hosts below this name may not be
 * docket's. */
#define HSTS "max-age=31536000"
/* A request with a body of unknown length can only be answered after the body. Up to this much of
 * it is read and thrown away, then the connection is closed. */
#define DRAIN_LIMIT (4 * 1024 * 1024)

/* Makes the query empty in libmicrohttpd's copy of the target, which is writable, before
 * libmicrohttpd parses it. libmicrohttpd would keep every parameter in the connection's memory, and
 * drop a request that has some hundred parameters. docket reads its own copy of the target. */
static void hide_query(const char *uri)
{
	char *query = strchr(uri, '?');

	if (query && query[1])
		query[1] = '\0';
}

void *request_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_request *request;
	char *target;

	connection_begins_request(info->socket_context);
	/* If there is no memory for a request, request_handle() makes libmicrohttpd close the
	 * connection. */
	request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	if (!uri)
		uri = "";
	target = arena_copy(&request->arena, slice_of(uri));
	if (!target) {
		free(request);
		return NULL;
	}
	request->server = context;
	request->connection = connection;
	request->on = info->socket_context;
	request->on->request = request;
	request->target = slice_of(target);
	request->target_end = uri + request->target.len;
	hide_query(uri);
	request->path = request->query = request->body = SLICE("");
	request->began_us = monotonic_us();
	request->state = REQUEST_LINE;
	return request;
}

static enum http_end request_end_kind(enum MHD_RequestTerminationCode code)
{
	switch (code) {
	case MHD_REQUEST_TERMINATED_COMPLETED_OK:
		return HTTP_SENT;
	case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
		return HTTP_TIMED_OUT;
	case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
		return HTTP_CUT_OFF;
	default:
		return HTTP_BROKEN_OFF;
	}
}

static void request_count(struct http_server *server, const struct http_request *request)
{
	unsigned digit = request->response.status / 100;

	if (request->ended == HTTP_REFUSED)
		atomic_fetch_add(&server->refused, 1);
	else if (request->ended == HTTP_SENT && digit < COUNT_OF(server->answered))
		atomic_fetch_add(&server->answered[digit], 1);
	else
		atomic_fetch_add(&server->not_answered, 1);
}

void request_end(void *context, struct MHD_Connection *connection, void **slot,
		 enum MHD_RequestTerminationCode code)
{
	struct http_server *server = context;
	struct http_request *request = *slot;

	(void)connection;
	if (!request)
		return;
	*slot = request->on->request = NULL;
	connection_awaits_head(request->on);
	request->ended = request->state == REQUEST_LINE && code == MHD_REQUEST_TERMINATED_WITH_ERROR
				 ? HTTP_REFUSED
			 : request->sent_directly ? HTTP_SENT
						  : request_end_kind(code);
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		request->body_bytes += request->last_block;
	request_count(server, request);
	server->app->on_end(server->app_data, request);
	if (request->state != REQUEST_LINE)
		atomic_fetch_sub(&server->under_way, 1);
	buf_release(&request->received);
	buf_release(&request->response.body);
	arena_release(&request->arena);
	free(request);
}

/* Says in the answer whether the connection stays open, and for how long it may be idle. */
static void response_add_persistence(const struct http_request *request, struct MHD_Response *made)
{
	const struct http_server *server = request->server;

	if (request->response.close || atomic_load(&server->draining)) {
		MHD_add_response_header(made, "Connection", "close");
	} else if (request->keeps) {
		/* Keep-Alive is about this connection only, so Connection must name it (RFC 9110,
		 * section 7.6.1). With this option libmicrohttpd does so. */
		MHD_set_response_options(made, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
		MHD_add_response_header(made, "Keep-Alive", server->keep_alive);
	}
}

/* The body is complete. */
static struct MHD_Response *answer_whole(struct http_request *request)
{
	struct buf *body = &request->response.body;
	struct MHD_Response *made =
		MHD_create_response_from_buffer(body->len, body->ptr, MHD_RESPMEM_MUST_FREE);

	if (!made)
		return NULL;
	if (strcmp(request->method, "HEAD") != 0 && request->response.status != 304)
		request->body_bytes = body->len;
	*body = (struct buf){0};
	return made;
}

static enum MHD_Result request_answer(struct http_request *request)
{
	struct http_response *response = &request->response;
	struct MHD_Response *made;
	enum MHD_Result result;
	uint64_t size;

	assert(response->status);
	request->server->app->on_answer(request->server->app_data, request);
	if (response->body.failed)
		return MHD_NO; /* out of memory: the body is not complete */
	if (request->cramped) {
		request->sent_directly = direct_answer(request, request->server->tls ? HSTS : NULL);
		return MHD_NO;
	}
	size = response->body.len + response->more;
	made = response->more ? answer_in_pieces(request) : answer_whole(request);
	if (!made)
		return MHD_NO;
	for (size_t i = 0; i < response->header_count; i++)
		/* A 304 has no body that this could describe (RFC 9110, section 15.4.5). Some
		 * clients would read JSON from it. */
		if (response->status != 304 ||
		    strcmp(response->headers[i].name, "Content-Type") != 0)
			MHD_add_response_header(made, response->headers[i].name,
						response->headers[i].value);
	if (request->server->tls)
		MHD_add_response_header(made, "Strict-Transport-Security", HSTS);
	if (*request->id)
		MHD_add_response_header(made, "X-Request-Id", request->id);
	response_add_persistence(request, made);
	connection_sends(request->on, size);
	request->state = REQUEST_ANSWERED;
	result = MHD_queue_response(request->connection, response->status, made);
	MHD_destroy_response(made);
	return result;
}

static void request_read_lengths(struct http_request *request)
{
	struct slice length = http_header(request, "Content-Length");
	struct slice expect = http_header(request, "Expect");

	/* libmicrohttpd has refused all but 64-bit numbers. */
	if (length.ptr)
		request->content_length = strtoull(length.ptr, NULL, 10);
	request->in_chunks = http_header(request, "Transfer-Encoding").ptr != NULL;
	request->expects_continue = expect.ptr && slice_is_nocase(expect, "100-continue");
}

/* RFC 9112, section 9.3. */
static bool request_keeps_connection(const struct http_request *request, const char *version)
{
	return strcmp(version, "HTTP/1.0") == 0
		       ? http_header_has(request, "Connection", "keep-alive")
		       : !http_header_has(request, "Connection", "close");
}

/* The authority of the target takes precedence over the header Host (RFC 9112, section 3.2.2). */
static const char *request_read_host(struct http_request *request, struct slice authority)
{
	struct slice host = authority.len ? authority : http_header(request, "Host");

	request->host = arena_copy(&request->arena, host.ptr ? host : SLICE(""));
	return request->host ? NULL : "there is no memory for it";
}

/* on_head has returned, or the request was resumed after it. */
static enum MHD_Result request_leave_head(struct http_request *request)
{
	if (!request->response.status)
		return MHD_YES;
	/* After an answer that comes before the body, the connection must close. */
	if (request->content_length > request->server->app->body_limit ||
	    (request->expects_continue && request->content_length)) {
		request->response.close = true;
		return request_answer(request);
	}
	return MHD_YES;
}

static void request_refuse(struct http_request *request, struct refusal refusal)
{
	const struct http_server *server = request->server;

	server->app->on_refused(server->app_data, request, refusal.status, refusal.why);
	request->response.close = true;
}

/* Reads the request line and the headers into the request, or refuses it. */
static struct refusal request_read_head(struct http_request *request, const char *version)
{
	struct refusal refusal = guard_check(request, version);
	struct room room = room_of(request->connection, 0);
	struct slice authority = SLICE("");
	const char *why;

	request->cramped = room_is_cramped(&room);
	if (!refusal.status)
		refusal = room_check(&room, request->target.len);
	if (refusal.status)
		return refusal;
	why = guard_target(&request->arena, request->target, &request->path, &request->query,
			   &authority);
	if (!why)
		why = request_read_host(request, authority);
	if (why)
		return (struct refusal){400, why};
	request_read_lengths(request);
	return refusal;
}

static enum MHD_Result take_head(struct http_request *request, const char *method,
				 const char *version)
{
	struct http_server *server = request->server;
	struct refusal refusal;

	request->state = REQUEST_HEAD;
	request->line = method;
	atomic_fetch_add(&server->under_way, 1);
	connection_begins_body(request->on);
	/* A copy, because libmicrohttpd overwrites its own when it refuses a body. */
	request->method = arena_copy(&request->arena, slice_of(method));
	if (!request->method)
		return MHD_NO;
	refusal = request_read_head(request, version);
	if (refusal.status) {
		request_refuse(request, refusal);
		return request_answer(request);
	}
	request->keeps = request_keeps_connection(request, version);
	server->app->on_head(server->app_data, request);
	request->state = REQUEST_BODY;
	return request->head_waits ? MHD_YES : request_leave_head(request);
}

/* Trailers are checked as headers are, and thrown away. */
static void request_check_trailers(struct http_request *request)
{
	const char *why = guard_trailers(request, &request->trailers);
	struct room room = room_of(request->connection, request->trailers);
	struct refusal refusal =
		why ? (struct refusal){400, why} : room_check(&room, request->target.len);

	request->cramped = room_is_cramped(&room);
	if (refusal.status && request->response.status)
		request->response.close = true; /* it has an answer already */
	else if (refusal.status)
		request_refuse(request, refusal);
}

static enum MHD_Result take_bytes(struct http_request *request, const char *bytes, size_t len)
{
	request->received_total += len;
	connection_reads_body(request->on, request->received_total);
	if (request->received_total > DRAIN_LIMIT)
		return MHD_NO;
	if (request->received_total > request->server->app->body_limit) {
		request->body_too_large = true;
		buf_release(&request->received);
	} else if (!request->response.status) {
		if (!request->received.ptr && request->content_length)
			buf_reserve(&request->received, request->content_length);
		buf_add(&request->received, bytes, len);
	}
	return request->received.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_end(struct http_request *request)
{
	struct http_server *server = request->server;

	connection_works(request->on);
	if (request->in_chunks)
		request_check_trailers(request);
	if (!request->response.status) {
		request->body = buf_slice(&request->received);
		server->app->on_body(server->app_data, request);
	}
	if (request->state == REQUEST_WAITS)
		return MHD_YES;
	return request_answer(request);
}

/* Gives a suspended connection a timeout of its own, one second longer. libmicrohttpd reads from a
 * resumed connection before it calls request_handle(). If the client or the drain has ended the
 * reading side, libmicrohttpd would close the connection and the answer would be lost. It calls
 * request_handle() first for a connection with a timeout of its own. */
void request_set_own_timeout(struct http_request *request, bool own)
{
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  request->server->silence_s + own);
}

enum MHD_Result request_handle(void *context, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *bytes,
			       size_t *len, void **slot)
{
	struct http_request *request = *slot;

	(void)context;
	(void)connection;
	(void)url;
	if (!request)
		return MHD_NO;
	switch ((enum request_state)request->state) {
	case REQUEST_LINE:
		return take_head(request, method, version);
	case REQUEST_HEAD:
		break;
	case REQUEST_BODY:
		/* After http_resume() libmicrohttpd calls again with the head. */
		if (request->head_waits) {
			request_set_own_timeout(request, false);
			request->head_waits = false;
			return request_leave_head(request);
		}
		if (*len) {
			size_t taken = *len;

			*len = 0;
			return take_bytes(request, bytes, taken);
		}
		return take_end(request);
	case REQUEST_WAITS:
		request_set_own_timeout(request, false);
		request->server->app->on_resume(request->server->app_data, request);
		return request_answer(request);
	case REQUEST_ANSWERED:
	case REQUEST_AWAITS_PIECE:
		break;
	}
	return MHD_NO;
}

void http_suspend(struct http_request *request)
{
	if (request->state == REQUEST_HEAD) {
		request->head_waits = true;
	} else if (request->state == REQUEST_ANSWERED) {
		request->state = REQUEST_AWAITS_PIECE;
		connection_pauses(request->on);
	} else {
		request->state = REQUEST_WAITS;
	}
	request_set_own_timeout(request, true);
	MHD_suspend_connection(request->connection);
}

void http_resume(struct http_request *request)
{
	MHD_resume_connection(request->connection);
}

void http_drop_body(struct http_request *request)
{
	buf_release(&request->received);
	request->body = SLICE("");
}

bool http_is_draining(const struct http_request *request)
{
	return atomic_load(&request->server->draining);
}
