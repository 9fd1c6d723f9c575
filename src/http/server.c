/* SPDX-License-Identifier: MIT */
/* Requests and answers over libmicrohttpd's epoll threads: each request is one object from its
 * first line to its end, and goes through the states below on its connection's thread. */
#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "accept.h"
#include "direct.h"
#include "guard.h"
#include "room.h"

/* Descriptors that are left to everything else, above those open at the start. */
#define DESCRIPTORS_KEPT 64
/* Of each of libmicrohttpd's threads, and of the acceptor and the list of connections. */
#define THREAD_DESCRIPTORS 2
#define OWN_DESCRIPTORS 4
/* A year, for this name alone: those beside it may not be ours (RFC 6797). */
#define HSTS "max-age=31536000"
/* What all answers under way may hold before no large one is begun. */
#define SENDING_MAX (512L * 1024 * 1024)
/* A body of unknown length can only be answered when it is over: up to this much is read and
 * thrown away, then the connection is closed. */
#define DRAIN_LIMIT (4 * 1024 * 1024)

enum request_state {
	REQUEST_LINE,  /* the request line is there */
	REQUEST_HEAD,  /* the head is there and is being shown to the application */
	REQUEST_BODY,  /* it was */
	REQUEST_WAITS, /* suspended until http_resume() */
	REQUEST_ANSWERED,
};

const struct http_limits http_default_limits = {
	.idle_s = 75,
	.head_ms = 15000,
	.body_ms = 60000,
	.bytes_per_ms = 16,
	.connections = 16384,
	.per_address = 1024,
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct connections *connections;
	struct http_addresses *addresses;
	struct acceptor *acceptor;
	struct tls *tls; /* or NULL */
	const struct http_app *app;
	void *app_data;
	atomic_bool draining;
	atomic_long under_way;
	atomic_long sending;    /* bytes of bodies of answers, until they are sent */
	int64_t draining_since; /* by monotonic_ms() */
	unsigned silence_s;     /* after which libmicrohttpd closes a connection */
	char keep_alive[32];    /* what a kept connection is told */
};

/* libmicrohttpd says CLOSED before it closes the socket. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **slot,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = context;
	struct connection *connection = *slot;
	const union MHD_ConnectionInfo *info;
	int fd;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection)
			tls_end(&connection->tls);
		connections_remove(connection);
		*slot = NULL;
		return;
	}
	fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection = connections_begin(server->connections, mhd, fd);
	assert(connection);
	*slot = connection;
	if (server->tls) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		tls_begin(server->tls, info->tls_session, connection);
	}
}

/* libmicrohttpd would keep every parameter in the connection's memory, and drop a request that has
 * some hundred of them. docket reads its own copy of the target; in libmicrohttpd's, whose memory
 * is writable, the query becomes empty before it is read. */
static void hide_query(const char *uri)
{
	char *query = strchr(uri, '?');

	if (query && query[1])
		query[1] = '\0';
}

static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_request *request;
	char *target;

	connection_begins_request(info->socket_context);
	/* If no request is made here, handle() refuses it and the connection is closed. */
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
	request->target = slice_of(target);
	request->target_end = uri + request->target.len;
	hide_query(uri);
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
	connection_awaits_head(request->on);
	request->ended = request->state == REQUEST_LINE && code == MHD_REQUEST_TERMINATED_WITH_ERROR
				 ? HTTP_REFUSED
			 : request->said ? HTTP_SENT
					 : end_of(code);
	server->app->on_end(server->app_data, request);
	atomic_fetch_sub(&server->sending, (long)request->held);
	if (request->state != REQUEST_LINE)
		atomic_fetch_sub(&server->under_way, 1);
	buf_release(&request->received);
	buf_release(&request->response.body);
	arena_release(&request->arena);
	free(request);
}

/* Whether the connection goes on behind the answer, and how long it may be idle then. */
static void add_persistence(const struct http_request *request, struct MHD_Response *made)
{
	const struct http_server *server = request->server;

	if (request->response.close || atomic_load(&server->draining)) {
		MHD_add_response_header(made, "Connection", "close");
	} else if (request->keeps) {
		/* Keep-Alive is of this connection alone, so Connection must name it (RFC 9110,
		 * section 7.6.1); libmicrohttpd adds that. */
		MHD_set_response_options(made, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
		MHD_add_response_header(made, "Keep-Alive", server->keep_alive);
	}
}

static enum MHD_Result answer(struct http_request *request)
{
	struct http_response *response = &request->response;
	uint64_t size = response->body.len;
	struct MHD_Response *made;
	enum MHD_Result result;

	assert(response->status);
	request->server->app->on_answer(request->server->app_data, request);
	if (response->body.failed)
		return MHD_NO; /* out of memory: nothing whole can be said */
	if (request->cramped) {
		request->said = direct_answer(request, request->server->tls ? HSTS : NULL);
		return MHD_NO;
	}
	made = MHD_create_response_from_buffer(size, response->body.ptr, MHD_RESPMEM_MUST_FREE);
	if (!made)
		return MHD_NO;
	if (strcmp(request->method, "HEAD") != 0 && response->status != 304)
		request->body_bytes = response->body.len;
	request->held = response->body.len;
	atomic_fetch_add(&request->server->sending, (long)request->held);
	response->body = (struct buf){0};
	for (size_t i = 0; i < response->header_count; i++)
		MHD_add_response_header(made, response->headers[i].name,
					response->headers[i].value);
	if (request->server->tls)
		MHD_add_response_header(made, "Strict-Transport-Security", HSTS);
	if (*request->id)
		MHD_add_response_header(made, "X-Request-Id", request->id);
	add_persistence(request, made);
	connection_sends(request->on, size);
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
	request->in_chunks = http_header(request, "Transfer-Encoding").ptr != NULL;
	request->expects_continue = expect.ptr && slice_is_nocase(expect, "100-continue");
}

/* RFC 9112, section 9.3. */
static bool keeps(const struct http_request *request, const char *version)
{
	return strcmp(version, "HTTP/1.0") == 0
		       ? http_header_has(request, "Connection", "keep-alive")
		       : !http_header_has(request, "Connection", "close");
}

/* The authority of the target goes before the header Host (RFC 9112, section 3.2.2). */
static const char *read_host(struct http_request *request, struct slice authority)
{
	struct slice host = authority.len ? authority : http_header(request, "Host");

	request->host = arena_copy(&request->arena, host.ptr ? host : SLICE(""));
	return request->host ? NULL : "there is no memory for it";
}

/* The application has seen the head. */
static enum MHD_Result leave_head(struct http_request *request)
{
	if (!request->response.status)
		return MHD_YES;
	/* The connection must close behind an answer that comes before the body. */
	if (request->content_length > request->server->app->body_limit ||
	    (request->expects_continue && request->content_length)) {
		request->response.close = true;
		return answer(request);
	}
	return MHD_YES;
}

static void refuse(struct http_request *request, struct refusal refusal)
{
	const struct http_server *server = request->server;

	server->app->on_refused(server->app_data, request, refusal.status, refusal.why);
	request->response.close = true;
}

/* Reads the line and the headers into the request, or says why it is refused. */
static struct refusal read_head(struct http_request *request, const char *version)
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
		why = read_host(request, authority);
	if (why)
		return (struct refusal){400, why};
	read_lengths(request);
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
	/* libmicrohttpd overwrites its own when it refuses a body. */
	request->method = arena_copy(&request->arena, slice_of(method));
	if (!request->method)
		return MHD_NO;
	refusal = read_head(request, version);
	if (refusal.status) {
		refuse(request, refusal);
		return answer(request);
	}
	request->keeps = keeps(request, version);
	server->app->on_head(server->app_data, request);
	request->state = REQUEST_BODY;
	return request->head_waits ? MHD_YES : leave_head(request);
}

/* The trailers of a body in chunks are read as headers are, and thrown away. */
static void check_trailers(struct http_request *request)
{
	const char *why = guard_trailers(request, &request->trailers);
	struct room room = room_of(request->connection, request->trailers);
	struct refusal refusal =
		why ? (struct refusal){400, why} : room_check(&room, request->target.len);

	request->cramped = room_is_cramped(&room);
	if (refusal.status && request->response.status)
		request->response.close = true; /* it was refused already */
	else if (refusal.status)
		refuse(request, refusal);
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
		check_trailers(request);
	if (!request->response.status) {
		request->body = buf_slice(&request->received);
		server->app->on_body(server->app_data, request);
	}
	if (request->state == REQUEST_WAITS)
		return MHD_YES;
	return answer(request);
}

/* libmicrohttpd reads from a resumed connection before it goes on with it. Where the client, or the
 * drain, has ended that side, it closes then, and the answer is lost. But it goes on first with
 * those whose timeout is their own: so a suspended connection has one. */
static void set_own_timeout(struct http_request *request, bool own)
{
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  request->server->silence_s + own);
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
	case REQUEST_HEAD:
		break;
	case REQUEST_BODY:
		/* Behind http_resume() libmicrohttpd shows the head once more. */
		if (request->head_waits) {
			set_own_timeout(request, false);
			request->head_waits = false;
			return leave_head(request);
		}
		if (*len) {
			size_t taken = *len;

			*len = 0;
			return take_bytes(request, bytes, taken);
		}
		return take_end(request);
	case REQUEST_WAITS:
		set_own_timeout(request, false);
		request->server->app->on_resume(request->server->app_data, request);
		return answer(request);
	case REQUEST_ANSWERED:
		break;
	}
	return MHD_NO;
}

void http_suspend(struct http_request *request)
{
	if (request->state == REQUEST_HEAD)
		request->head_waits = true;
	else
		request->state = REQUEST_WAITS;
	set_own_timeout(request, true);
	MHD_suspend_connection(request->connection);
}

void http_resume(struct http_request *request)
{
	MHD_resume_connection(request->connection);
}

static int highest_fd(const struct http_addresses *addresses)
{
	int highest = 0;

	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->list[i].fd > highest)
			highest = addresses->list[i].fd;
	return highest;
}

/* The number of connections that leaves descriptors to the rest. */
static unsigned affordable(unsigned connections, int highest_fd, unsigned threads)
{
	struct rlimit limit;
	rlim_t kept = (rlim_t)highest_fd + 1 + OWN_DESCRIPTORS +
		      (rlim_t)threads * THREAD_DESCRIPTORS + DESCRIPTORS_KEPT;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= kept + connections)
		return connections;
	return limit.rlim_cur > kept ? (unsigned)(limit.rlim_cur - kept) : 1;
}

static struct MHD_Daemon *start_daemon(struct http_server *server, unsigned connections,
				       const struct http_config *config)
{
	unsigned threads = config->threads < connections ? config->threads : connections;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
	const struct MHD_OptionItem options[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0, NULL},
		/* libmicrohttpd divides it among its threads. It must not be reached: 0.9.75 then
		 * stops for ever, with a lock held. connections_have_room() has the true limit. */
		{MHD_OPTION_CONNECTION_LIMIT, (connections + 64) * threads, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_INCREMENT, MEMORY_INCREMENT, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, server->silence_s, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, GUARD_STRICTNESS, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end, server},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_retrieve},
		{MHD_OPTION_END, 0, NULL},
	};

	if (server->tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, options,
				MHD_OPTION_ARRAY, server->tls ? tls_options : &tls_options[2],
				MHD_OPTION_END);
}

static void free_server(struct http_server *server)
{
	connections_free(server->connections);
	tls_free(server->tls);
	free(server);
}

/* Everything but the sockets, which are open. */
static enum err start_serving(struct http_server *server, const struct http_config *config)
{
	struct http_limits limits = config->limits;
	enum err err;

	limits.connections =
		affordable(limits.connections, highest_fd(server->addresses), config->threads);
	err = connections_new(&limits, &server->connections);
	if (err)
		return err;
	server->daemon = start_daemon(server, limits.connections, config);
	err = server->daemon ? acceptor_start(server->addresses, server->connections,
					      server->daemon, &server->acceptor)
			     : ERR_INTERNAL;
	if (!err)
		return OK;
	connections_end(server->connections);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	return err;
}

enum err http_start(const struct http_config *config, struct http_server **server_out,
		    struct buf *why)
{
	struct http_server *server = calloc(1, sizeof(*server));
	enum err err = OK;

	if (!server)
		return ERR_NOMEM;
	server->app = config->app;
	server->app_data = config->app_data;
	server->addresses = config->addresses;
	server->silence_s = config->limits.idle_s + HTTP_IDLE_GRACE_S;
	snprintf(server->keep_alive, sizeof(server->keep_alive), "timeout=%u",
		 config->limits.idle_s);
	if (config->tls_chains)
		err = tls_new(config->tls_chains, config->tls_keys, &server->tls, why);
	if (!err)
		err = listen_open(server->addresses, why);
	if (err) {
		free_server(server);
		return err;
	}
	err = start_serving(server, config);
	if (err) {
		buf_add_text(why, "cannot start the HTTP server");
		listen_close(server->addresses);
		free_server(server);
		return err;
	}
	*server_out = server;
	return OK;
}

enum err http_reload(struct http_server *server, struct buf *why)
{
	return server->tls ? tls_reload(server->tls, why) : OK;
}

bool http_is_full(const struct http_request *request)
{
	return atomic_load(&request->server->sending) > SENDING_MAX;
}

const char *http_address(const struct http_server *server, size_t index)
{
	return index < server->addresses->count ? server->addresses->list[index].text : NULL;
}

void http_drain(struct http_server *server)
{
	server->draining_since = monotonic_ms();
	atomic_store(&server->draining, true);
	acceptor_drain(server->acceptor);
}

bool http_is_drained(struct http_server *server)
{
	/* In this order: what is accepted is counted before the acceptor is done. At a limit the
	 * acceptor waits for connections that the drain ends. */
	bool accepted = acceptor_is_done(server->acceptor);

	return connections_drain(server->connections, server->draining_since) == 0 && accepted;
}

long http_under_way(const struct http_server *server)
{
	return atomic_load(&server->under_way);
}

bool http_is_draining(const struct http_request *request)
{
	return atomic_load(&request->server->draining);
}

void http_stop(struct http_server *server)
{
	if (!server)
		return;
	acceptor_end(server->acceptor);
	connections_end(server->connections);
	MHD_stop_daemon(server->daemon);
	free_server(server);
}
