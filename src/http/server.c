/* SPDX-License-Identifier: MIT */
/* Requests and answers over libmicrohttpd's epoll threads: each request is one object from its
 * first line to its end, and goes through the states below on its connection's thread. */
#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/guard.h"
#include "http/listen.h"

#define CONNECTIONS_MAX 16384
#define CONNECTION_MEMORY 32768 /* bytes, the head of a request among them */
#define IDLE_SECONDS 30
/* A body of unknown length can only be answered when it is over: up to this much is read and
 * thrown away, then the connection is closed. */
#define DRAIN_LIMIT (4 * 1024 * 1024)

enum request_state {
	REQUEST_LINE,  /* the request line is there */
	REQUEST_BODY,  /* the head is there and was shown to the application */
	REQUEST_WAITS, /* suspended until http_resume() */
	REQUEST_ANSWERED,
};

struct http_server {
	struct MHD_Daemon *daemon;
	const struct http_app *app;
	void *app_data;
	atomic_bool draining;
	atomic_long under_way;
	char address[160];
};

static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct http_request *request = calloc(1, sizeof(*request));
	char *target;

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
	request->target = slice_of(target);
	request->target_end = uri + request->target.len;
	request->path = request->query = request->body = SLICE("");
	request->began_us = monotonic_us();
	request->state = REQUEST_LINE;
	return request;
}

static enum http_end end_of(enum MHD_RequestTerminationCode code)
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

static void end(void *context, struct MHD_Connection *connection, void **slot,
		enum MHD_RequestTerminationCode code)
{
	struct http_server *server = context;
	struct http_request *request = *slot;

	(void)connection;
	if (!request)
		return;
	*slot = NULL;
	request->ended = end_of(code);
	server->app->on_end(server->app_data, request);
	if (request->state != REQUEST_LINE)
		atomic_fetch_sub(&server->under_way, 1);
	buf_release(&request->received);
	buf_release(&request->response.body);
	arena_release(&request->arena);
	free(request);
}

static enum MHD_Result answer(struct http_request *request)
{
	struct http_response *response = &request->response;
	struct MHD_Response *made;
	enum MHD_Result result;

	assert(response->status);
	if (response->body.failed)
		return MHD_NO; /* out of memory: nothing whole can be said */
	made = MHD_create_response_from_buffer(response->body.len, response->body.ptr,
					       MHD_RESPMEM_MUST_FREE);
	if (!made)
		return MHD_NO;
	if (strcmp(request->method, "HEAD") != 0)
		request->body_bytes = response->body.len;
	response->body = (struct buf){0};
	for (size_t i = 0; i < response->header_count; i++)
		MHD_add_response_header(made, response->headers[i].name,
					response->headers[i].value);
	if (*request->id)
		MHD_add_response_header(made, "X-Request-Id", request->id);
	if (response->close || atomic_load(&request->server->draining))
		MHD_add_response_header(made, "Connection", "close");
	request->state = REQUEST_ANSWERED;
	result = MHD_queue_response(request->connection, response->status, made);
	MHD_destroy_response(made);
	return result;
}

static void read_lengths(struct http_request *request)
{
	struct slice length = http_header(request, "Content-Length");
	struct slice expect = http_header(request, "Expect");

	/* libmicrohttpd has refused what is not a number of 64 bits. */
	if (length.ptr)
		request->content_length = strtoull(length.ptr, NULL, 10);
	request->expects_continue = expect.ptr && slice_is_nocase(expect, "100-continue");
}

static enum MHD_Result take_head(struct http_request *request, const char *method,
				 const char *version)
{
	struct http_server *server = request->server;
	const struct http_app *app = server->app;
	const char *why;

	request->state = REQUEST_BODY;
	request->method = method;
	atomic_fetch_add(&server->under_way, 1);
	why = guard_check(request, version);
	if (!why)
		why = guard_target(&request->arena, request->target, &request->path,
				   &request->query);
	if (why) {
		app->on_refused(server->app_data, request, why);
		request->response.close = true;
		return answer(request);
	}
	read_lengths(request);
	app->on_head(server->app_data, request);
	if (!request->response.status)
		return MHD_YES;
	/* The connection must close behind an answer that comes before the body. */
	if (request->content_length > app->body_limit ||
	    (request->expects_continue && request->content_length))
		return answer(request);
	return MHD_YES;
}

static enum MHD_Result take_bytes(struct http_request *request, const char *bytes, size_t len)
{
	request->received_total += len;
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

	if (!request->response.status) {
		request->body = buf_slice(&request->received);
		server->app->on_body(server->app_data, request);
	}
	if (request->state == REQUEST_WAITS)
		return MHD_YES;
	return answer(request);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
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
	case REQUEST_BODY:
		if (*len) {
			size_t taken = *len;

			*len = 0;
			return take_bytes(request, bytes, taken);
		}
		return take_end(request);
	case REQUEST_WAITS:
		request->server->app->on_resume(request->server->app_data, request);
		return answer(request);
	case REQUEST_ANSWERED:
		break;
	}
	return MHD_NO;
}

void http_suspend(struct http_request *request)
{
	request->state = REQUEST_WAITS;
	MHD_suspend_connection(request->connection);
}

void http_resume(struct http_request *request)
{
	MHD_resume_connection(request->connection);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd, unsigned threads)
{
	const struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end, server},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
				NULL, handle, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

enum err http_start(const struct http_config *config, struct http_server **server_out,
		    struct buf *why)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int fd;
	enum err err;

	if (!server)
		return ERR_NOMEM;
	server->app = config->app;
	server->app_data = config->app_data;
	err = listen_at(config->address, &fd, server->address, sizeof(server->address), why);
	if (err) {
		free(server);
		return err;
	}
	server->daemon = start_daemon(server, fd, config->threads);
	if (!server->daemon) {
		buf_add_text(why, "cannot start the HTTP server");
		close(fd);
		free(server);
		return ERR_INTERNAL;
	}
	*server_out = server;
	return OK;
}

const char *http_address(const struct http_server *server)
{
	return server->address;
}

bool http_drain(struct http_server *server, int milliseconds)
{
	int fd;

	atomic_store(&server->draining, true);
	fd = MHD_quiesce_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
	for (; milliseconds > 0 && atomic_load(&server->under_way); milliseconds -= 5)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return atomic_load(&server->under_way) == 0;
}

void http_stop(struct http_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}

struct slice http_header(const struct http_request *request, const char *name)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
					  &value, &len) != MHD_YES)
		return (struct slice){NULL, 0};
	return (struct slice){value ? value : "", len};
}

struct list {
	const char *name;
	struct buf values;
};

static enum MHD_Result add_to_list(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct list *list = context;

	(void)kind;
	if (strcasecmp(name, list->name) == 0)
		buf_printf(&list->values, "%s%s", list->values.len ? "," : "", value ? value : "");
	return MHD_YES;
}

enum err http_header_list(struct http_request *request, const char *name, struct slice *list_out)
{
	struct list list = {.name = name};
	char *copy;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_to_list, &list);
	copy = list.values.failed ? NULL : arena_copy(&request->arena, buf_slice(&list.values));
	if (copy)
		*list_out = (struct slice){copy, list.values.len};
	buf_release(&list.values);
	return copy ? OK : ERR_NOMEM;
}

struct ip http_peer(const struct http_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return ip_of_socket(info ? info->client_addr : NULL);
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
	struct http_response *response = &request->response;

	assert(response->header_count < HTTP_HEADERS_MAX);
	response->headers[response->header_count++] = (struct http_header){name, value};
}
