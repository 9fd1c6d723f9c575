/* SPDX-License-Identifier: MIT */
/* The server: starts and ends libmicrohttpd, the acceptor and the list of connections. */
#include <assert.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "connections.h"
#include "guard.h"
#include "http_private.h"
#include "room.h"
#include "sockets/sockets.h"
#include "tls.h"

/* Descriptors for everything else that the process opens from now on. */
#define DESCRIPTORS_KEPT 64
#define THREAD_DESCRIPTORS 2 /* of each thread of libmicrohttpd */
#define OWN_DESCRIPTORS 4    /* of the acceptor and the list of connections */

const struct http_limits http_default_limits = {
	.idle_s = 75,
	.head_ms = 15000,
	.body_ms = 60000,
	.bytes_per_ms = 16,
	.connections = 16384,
	.per_address = 1024,
};

/* For the whole program, in place of the C library's: the linker also gives it to libmicrohttpd. If
 * libmicrohttpd gets as many events as it has room for (128), it waits for more before it works on
 * them: 128 clients that send at the same moment would then wait until another one does. So the
 * call after such a one never waits. The thread sanitizer has an epoll_wait() too, so this one must
 * be in a file that is always linked. */
int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	static _Thread_local bool was_full;
	int count = epoll_pwait(epoll, events, room, was_full ? 0 : timeout, NULL);

	was_full = count == room;
	return count;
}

/* libmicrohttpd calls this when it begins a connection, and before it closes the socket. */
static void server_on_connection(void *context, struct MHD_Connection *mhd, void **slot,
				 enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = context;
	struct connection *connection = *slot;
	const union MHD_ConnectionInfo *info;
	int fd;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection) {
			/* libmicrohttpd 1.0.1 does not end some requests: those with a chunk whose
			 * first line is too long for its memory. */
			request_end(server, mhd, &connection->request,
				    MHD_REQUEST_TERMINATED_WITH_ERROR);
			tls_end(&connection->tls);
		}
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

static int listen_highest_fd(const struct listen_addresses *addresses)
{
	int highest = 0;

	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->list[i].fd > highest)
			highest = addresses->list[i].fd;
	return highest;
}

/* Lowers the number of connections so that descriptors are left for the rest. */
static unsigned limit_connections(unsigned connections, int highest_fd, unsigned threads)
{
	struct rlimit limit;
	rlim_t kept = (rlim_t)highest_fd + 1 + OWN_DESCRIPTORS +
		      (rlim_t)threads * THREAD_DESCRIPTORS + DESCRIPTORS_KEPT;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= kept + connections)
		return connections;
	return limit.rlim_cur > kept ? (unsigned)(limit.rlim_cur - kept) : 1;
}

static struct MHD_Daemon *daemon_start(struct http_server *server, unsigned connections,
				       const struct http_config *config)
{
	unsigned threads = config->threads < connections ? config->threads : connections;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
	const struct MHD_OptionItem options[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0, NULL},
		/* libmicrohttpd divides it among its threads. It must never be reached: 0.9.75 then
		 * stops for ever, with a lock held. connections_have_room() has the real limit. */
		{MHD_OPTION_CONNECTION_LIMIT, (connections + 64) * threads, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_INCREMENT, MEMORY_INCREMENT, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, server->silence_s, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, GUARD_STRICTNESS, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)server_on_connection, server},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_begin, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_end, server},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_retrieve},
		{MHD_OPTION_END, 0, NULL},
	};

	if (server->tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, request_handle, server, MHD_OPTION_ARRAY,
				options, MHD_OPTION_ARRAY,
				server->tls ? tls_options : &tls_options[2], MHD_OPTION_END);
}

static void server_free(struct http_server *server)
{
	connections_free(server->connections);
	tls_free(server->tls);
	free(server);
}

static bool server_has_room(void *context)
{
	const struct http_server *server = context;

	return connections_have_room(server->connections);
}

static void server_take(void *context, int fd, const struct sockaddr *from, socklen_t len)
{
	const struct http_server *server = context;

	if (!connections_admit(server->connections, fd, from)) {
		close(fd);
		return;
	}
	if (MHD_add_connection(server->daemon, fd, from, len) != MHD_YES)
		connections_dismiss(server->connections, fd); /* MHD has closed the socket */
}

static enum err server_start_acceptor(struct http_server *server)
{
	const struct acceptor_config config = {
		.addresses = server->addresses,
		.has_room = server_has_room,
		.take = server_take,
		.context = server,
		.room = connections_room(server->connections),
	};

	return acceptor_start(&config, &server->acceptor);
}

/* Starts all parts. The listening sockets are open already. */
static enum err server_start(struct http_server *server, const struct http_config *config)
{
	struct http_limits limits = config->limits;
	enum err err;

	limits.connections = limit_connections(
		limits.connections, listen_highest_fd(server->addresses), config->threads);
	err = connections_new(&limits, &server->connections);
	if (err)
		return err;
	server->daemon = daemon_start(server, limits.connections, config);
	err = server->daemon ? server_start_acceptor(server) : ERR_INTERNAL;
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
		server_free(server);
		return err;
	}
	err = server_start(server, config);
	if (err) {
		buf_add_text(why, "cannot start the HTTP server");
		listen_close(server->addresses);
		server_free(server);
		return err;
	}
	*server_out = server;
	return OK;
}

enum err http_reload(struct http_server *server, struct buf *why)
{
	return server->tls ? tls_reload(server->tls, why) : OK;
}

void http_each_certificate(const struct http_server *server,
			   void (*each)(void *context, const struct certificate_facts *certificate),
			   void *context)
{
	if (server->tls)
		tls_each_certificate(server->tls, each, context);
}

void http_renew_tickets(struct http_server *server)
{
	if (server->tls)
		tls_renew_tickets(server->tls);
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
	/* The order matters: when the acceptor is done, all its connections are in the list, which
	 * is counted after that. connections_drain() must run even if the acceptor is not done: at
	 * the limit of connections, the acceptor waits until one ends. */
	bool accepted = acceptor_is_done(server->acceptor);

	return connections_drain(server->connections, server->draining_since) == 0 && accepted;
}

bool http_has_turned(struct http_server *server)
{
	return acceptor_has_turned(server->acceptor);
}

long http_under_way(const struct http_server *server)
{
	return atomic_load(&server->under_way);
}

void http_count(const struct http_server *server, struct http_load *load_out)
{
	*load_out = (struct http_load){0};
	connections_count(server->connections, load_out);
	for (size_t i = 1; i < COUNT_OF(server->answered); i++)
		load_out->answered[i] = atomic_load(&server->answered[i]);
	load_out->not_answered = atomic_load(&server->not_answered);
	load_out->refused = atomic_load(&server->refused);
}

void http_stop(struct http_server *server)
{
	if (!server)
		return;
	acceptor_end(server->acceptor);
	connections_end(server->connections);
	MHD_stop_daemon(server->daemon);
	server_free(server);
}
