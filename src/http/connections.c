/* SPDX-License-Identifier: MIT */
/* The list of connections, and the thread that watches it. Before libmicrohttpd closes a socket, it
 * reports the end of the connection, and connections_remove() takes the lock. So under the lock
 * every socket in the list is still open, and its descriptor is not another file's. The deadlines
 * are atomic, so a request takes no lock. */
#include "connections.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sockets/sockets.h"

#define TICK_MS 1000
#define EVENTS 64
/* If a client ends its side in the middle of a head or a body, docket ends the connection after
 * this time. libmicrohttpd would not: it reads only when epoll reports something new, and epoll
 * reports nothing after the end. docket waits because libmicrohttpd may still have to read the
 * bytes before the end: reads of other requests may keep its thread busy for up to 2 s each. */
#define GONE_MS 3000
/* A drain closes a kept connection after this silence. By then a request that was on its way has
 * arrived, and a client that sends request after request has sent the next one. */
#define QUIET_MS 1000

struct connections {
	struct http_limits limits;
	pthread_mutex_t lock; /* for all below */
	struct connection *first;
	size_t count;
	/* Connections that libmicrohttpd has not begun, by descriptor. */
	struct connection **admitted;
	size_t admitted_len;
	struct subnets subnets;
	bool room_wanted;
	bool ending; /* no connection is parked any more */

	pthread_t thread;
	int poll; /* an epoll with `stop` and the sockets of parked connections */
	int stop; /* an eventfd, which ends the thread */
	int room; /* an eventfd for connections_room() */
};

static void connection_unpark(struct connection *connection)
{
	struct connections *all = connection->all;

	epoll_ctl(all->poll, EPOLL_CTL_DEL, connection->fd, NULL);
	connection->parked = false;
	MHD_resume_connection(connection->mhd);
}

/* Whether the client ended its side and all bytes before that were read. */
static bool connection_is_at_end(const struct connection *connection)
{
	char byte;

	return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether the client ended its side at least GONE_MS ago, in the middle of a head or a body. */
static bool connection_is_gone(struct connection *connection, int64_t now)
{
	unsigned part = atomic_load(&connection->parts);

	if (!atomic_load(&connection->reading) || !connection_is_at_end(connection)) {
		connection->gone_since = 0;
	} else if (!connection->gone_since || connection->gone_at != part) {
		connection->gone_since = now;
		connection->gone_at = part;
	}
	return connection->gone_since && now - connection->gone_since >= GONE_MS;
}

/* Takes it out of the list and frees it. Under the lock. */
static void connection_forget(struct connection *connection)
{
	struct connections *all = connection->all;

	subnets_leave(&all->subnets, connection->subnet);
	if (connection->next)
		connection->next->prev = connection->prev;
	if (connection->prev)
		connection->prev->next = connection->next;
	else
		all->first = connection->next;
	if ((size_t)connection->fd < all->admitted_len &&
	    all->admitted[connection->fd] == connection)
		all->admitted[connection->fd] = NULL;
	all->count--;
	if (all->room_wanted && all->count < all->limits.connections) {
		all->room_wanted = false;
		eventfd_write(all->room, 1);
	}
	free(connection);
}

/* The kernel's number for a socket, never used twice. 0: the descriptor is no socket. */
static uint64_t socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* Shuts down connections that missed their deadline; libmicrohttpd then closes them. If
 * libmicrohttpd failed to begin a connection, it closes the socket without a callback: the list
 * removes such a connection. */
static void connections_end_late(struct connections *all)
{
	int64_t now = monotonic_ms();

	pthread_mutex_lock(&all->lock);
	for (struct connection *at = all->first, *next; at; at = next) {
		int64_t until = atomic_load_explicit(&at->until, memory_order_relaxed);

		next = at->next;
		if (!at->mhd && socket_cookie(at->fd) != at->cookie)
			connection_forget(at);
		else if (at->mhd && ((until && now >= until) || connection_is_gone(at, now)))
			shutdown(at->fd, SHUT_RDWR);
		else if (at->mhd && atomic_load(&at->phase) == CONNECTION_WAITS &&
			 connection_is_at_end(at))
			/* The client's end arrived together with its last bytes. epoll reported
			 * both at once, and libmicrohttpd only read the bytes. This wakes it. It
			 * can still answer a request that it has read. */
			shutdown(at->fd, SHUT_RD);
	}
	pthread_mutex_unlock(&all->lock);
}

static void *connections_watch(void *context)
{
	struct connections *all = context;
	int64_t looked = monotonic_ms();
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(all->poll, events, EVENTS, TICK_MS);

		pthread_mutex_lock(&all->lock);
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;

			if (!connection) {
				pthread_mutex_unlock(&all->lock);
				return NULL;
			}
			/* libmicrohttpd cannot close a parked connection before this resumes it. */
			connection_unpark(connection);
		}
		pthread_mutex_unlock(&all->lock);
		if (monotonic_ms() - looked >= TICK_MS) {
			connections_end_late(all);
			looked = monotonic_ms();
		}
	}
}

enum err connections_new(const struct http_limits *limits, struct connections **connections_out)
{
	struct connections *all = calloc(1, sizeof(*all));
	struct epoll_event stop = {.events = EPOLLIN};

	if (!all)
		return ERR_NOMEM;
	all->limits = *limits;
	subnets_init(&all->subnets, limits->per_address);
	pthread_mutex_init(&all->lock, NULL);
	all->poll = epoll_create1(EPOLL_CLOEXEC);
	all->stop = eventfd(0, EFD_CLOEXEC);
	all->room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->poll < 0 || all->stop < 0 || all->room < 0 ||
	    epoll_ctl(all->poll, EPOLL_CTL_ADD, all->stop, &stop) ||
	    pthread_create(&all->thread, NULL, connections_watch, all)) {
		all->ending = true;
		connections_free(all);
		return ERR_INTERNAL;
	}
	*connections_out = all;
	return OK;
}

void connections_end(struct connections *connections)
{
	if (eventfd_write(connections->stop, 1))
		abort(); /* cannot fail: the counter is 0 */
	pthread_join(connections->thread, NULL);
	pthread_mutex_lock(&connections->lock);
	connections->ending = true;
	for (struct connection *at = connections->first; at; at = at->next)
		if (at->parked)
			connection_unpark(at);
	pthread_mutex_unlock(&connections->lock);
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	/* Connections that libmicrohttpd never began. */
	for (struct connection *at = connections->first, *next; at; at = next) {
		next = at->next;
		connection_forget(at);
	}
	if (connections->poll >= 0)
		close(connections->poll);
	if (connections->stop >= 0)
		close(connections->stop);
	if (connections->room >= 0)
		close(connections->room);
	free(connections->admitted);
	subnets_release(&connections->subnets);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

bool connections_have_room(struct connections *connections)
{
	bool room;

	pthread_mutex_lock(&connections->lock);
	room = connections->count < connections->limits.connections;
	connections->room_wanted |= !room;
	pthread_mutex_unlock(&connections->lock);
	return room;
}

int connections_room(const struct connections *connections)
{
	return connections->room;
}

/* Makes room in `admitted` for the descriptor. Under the lock. False: out of memory. */
static bool connections_make_slot(struct connections *all, int fd)
{
	size_t len = (size_t)fd + 64;
	struct connection **admitted;

	if ((size_t)fd < all->admitted_len)
		return true;
	admitted = realloc(all->admitted, len * sizeof(admitted[0]));
	if (!admitted)
		return false;
	memset(admitted + all->admitted_len, 0, (len - all->admitted_len) * sizeof(admitted[0]));
	all->admitted = admitted;
	all->admitted_len = len;
	return true;
}

/* Takes the connection of a descriptor out of `admitted`. Under the lock. NULL: there is none. */
static struct connection *connections_take_admitted(struct connections *all, int fd)
{
	struct connection *connection = NULL;

	if ((size_t)fd < all->admitted_len) {
		connection = all->admitted[fd];
		all->admitted[fd] = NULL;
	}
	return connection;
}

bool connections_admit(struct connections *connections, int fd, const struct sockaddr *from)
{
	struct connection *connection = calloc(1, sizeof(*connection)), *stale;
	bool admitted;

	if (!connection)
		return false;
	connection->all = connections;
	connection->fd = fd;
	connection->cookie = socket_cookie(fd);
	connection->began = monotonic_ms();
	atomic_store(&connection->quiet_since, connection->began);
	atomic_store(&connection->until, connection->began + connections->limits.head_ms);
	pthread_mutex_lock(&connections->lock);
	stale = connections_take_admitted(connections, fd);
	if (stale)
		connection_forget(stale);
	admitted = subnets_have_room(&connections->subnets, from) &&
		   connections_make_slot(connections, fd);
	if (admitted) {
		connection->subnet = subnets_enter(&connections->subnets, from);
		connection->next = connections->first;
		if (connection->next)
			connection->next->prev = connection;
		connections->first = connection;
		connections->count++;
		connections->admitted[fd] = connection;
	}
	pthread_mutex_unlock(&connections->lock);
	if (!admitted)
		free(connection);
	return admitted;
}

void connections_dismiss(struct connections *connections, int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&connections->lock);
	connection = connections_take_admitted(connections, fd);
	if (connection)
		connection_forget(connection);
	pthread_mutex_unlock(&connections->lock);
}

struct connection *connections_begin(struct connections *connections, struct MHD_Connection *mhd,
				     int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&connections->lock);
	connection = connections_take_admitted(connections, fd);
	if (connection)
		connection->mhd = mhd;
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void connections_remove(struct connection *connection)
{
	struct connections *all = connection ? connection->all : NULL;

	if (!connection)
		return;
	pthread_mutex_lock(&all->lock);
	connection_forget(connection);
	pthread_mutex_unlock(&all->lock);
}

void connections_count(struct connections *connections, struct http_load *load_out)
{
	pthread_mutex_lock(&connections->lock);
	load_out->connections = connections->count;
	load_out->connections_most = connections->limits.connections;
	for (const struct connection *at = connections->first; at; at = at->next) {
		int phase = atomic_load(&at->phase);

		load_out->shaking_hands += phase == CONNECTION_SHAKES_HANDS;
		load_out->working += phase == CONNECTION_WORKS;
	}
	pthread_mutex_unlock(&connections->lock);
}

/* Whether a drain may end the connection: it was silent long enough, and its socket has no unread
 * bytes. */
static bool connection_may_end(const struct connection *connection, int64_t since, int64_t now)
{
	int64_t quiet = atomic_load(&connection->quiet_since);
	char byte;

	return connection->mhd && !connection->ended &&
	       atomic_load(&connection->phase) == CONNECTION_WAITS &&
	       now - (quiet > since ? quiet : since) >= QUIET_MS &&
	       recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

size_t connections_drain(struct connections *connections, int64_t since)
{
	int64_t now = monotonic_ms();
	size_t count;

	pthread_mutex_lock(&connections->lock);
	for (struct connection *at = connections->first; at; at = at->next) {
		if (!connection_may_end(at, since, now))
			continue;
		/* libmicrohttpd may have read a request at this very moment, and can still answer
		 * it. Otherwise it closes the connection. */
		at->ended = true;
		shutdown(at->fd, SHUT_RD);
	}
	count = connections->count;
	pthread_mutex_unlock(&connections->lock);
	return count;
}

static void connection_set_until(struct connection *connection, int64_t until)
{
	atomic_store_explicit(&connection->until, until, memory_order_relaxed);
}

static void connection_begins_part(struct connection *connection)
{
	atomic_fetch_add_explicit(&connection->parts, 1, memory_order_relaxed);
	atomic_store_explicit(&connection->reading, true, memory_order_relaxed);
}

static void connection_ends_part(struct connection *connection)
{
	atomic_store_explicit(&connection->reading, false, memory_order_relaxed);
}

/* How long the transfer of that many bytes may take. */
static int64_t connection_transfer_ms(const struct connection *connection, uint64_t bytes)
{
	const struct http_limits *limits = &connection->all->limits;

	return limits->body_ms + (int64_t)(bytes / limits->bytes_per_ms);
}

/* The deadline is the idle time plus the time for a head, because libmicrohttpd does not report the
 * first byte of a head. If the connection is silent, libmicrohttpd closes it after the idle
 * time. */
void connection_awaits_head(struct connection *connection)
{
	const struct http_limits *limits = &connection->all->limits;
	int64_t now = monotonic_ms();

	connection_set_until(connection,
			     now + (limits->idle_s + HTTP_IDLE_GRACE_S) * INT64_C(1000) +
				     limits->head_ms);
	connection_awaits_request(connection);
}

void connection_awaits_request(struct connection *connection)
{
	atomic_store(&connection->quiet_since, monotonic_ms());
	atomic_store(&connection->phase, CONNECTION_WAITS);
}

void connection_shakes_hands(struct connection *connection)
{
	atomic_store(&connection->phase, CONNECTION_SHAKES_HANDS);
}

void connection_begins_request(struct connection *connection)
{
	int64_t until = monotonic_ms() + connection->all->limits.head_ms;

	atomic_store(&connection->phase, CONNECTION_WORKS);
	connection_begins_part(connection);
	if (until < atomic_load_explicit(&connection->until, memory_order_relaxed))
		connection_set_until(connection, until);
}

void connection_begins_body(struct connection *connection)
{
	connection_begins_part(connection);
	connection->began = monotonic_ms();
	connection_reads_body(connection, 0);
}

void connection_reads_body(struct connection *connection, uint64_t received)
{
	connection_set_until(connection,
			     connection->began + connection_transfer_ms(connection, received));
}

void connection_works(struct connection *connection)
{
	connection_ends_part(connection);
	connection_set_until(connection, 0);
}

void connection_sends(struct connection *connection, uint64_t size)
{
	connection_ends_part(connection);
	connection_set_until(connection, monotonic_ms() + connection_transfer_ms(connection, size));
}

void connection_pauses(struct connection *connection)
{
	connection->left =
		atomic_load_explicit(&connection->until, memory_order_relaxed) - monotonic_ms();
	connection_set_until(connection, 0);
}

void connection_sends_on(struct connection *connection)
{
	connection_set_until(connection, monotonic_ms() + connection->left);
}

bool connection_park(struct connection *connection)
{
	struct connections *all = connection->all;
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
				    .data.ptr = connection};
	bool parked = false;

	pthread_mutex_lock(&all->lock);
	if (!all->ending && !connection->parked &&
	    epoll_ctl(all->poll, EPOLL_CTL_ADD, connection->fd, &event) == 0) {
		MHD_suspend_connection(connection->mhd);
		parked = connection->parked = true;
	}
	pthread_mutex_unlock(&all->lock);
	return parked;
}
