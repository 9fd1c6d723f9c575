/* SPDX-License-Identifier: MIT */
/* Accepts. When there are as many connections as there may be, or no descriptor is left, clients
 * wait in the queues of the sockets until a connection is closed. */
#include "http/accept.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

#define BATCH 64 /* connections of one socket, before the others are looked at */
#define TROUBLE_MS \
	1000 /* until accept(2) is tried again after a failure that is not the client's */
#define FIRST_LISTENER 2 /* of what is polled, behind the two eventfds */

enum acceptor_state {
	ACCEPTOR_RUNS,
	ACCEPTOR_DRAINS,
	ACCEPTOR_ENDS,
};

struct acceptor {
	struct http_addresses *addresses;
	struct connections *connections;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int wake; /* an eventfd, for a change of `state` */
	atomic_int state;
	atomic_bool done;
	bool in_trouble; /* and it was said */
};

/* What one socket came to. */
enum taken {
	TAKEN_ALL,  /* nobody waits there */
	TAKEN_SOME, /* a batch */
	TAKEN_FULL, /* no room for more */
	TAKEN_NONE, /* accept(2) failed for want of something */
};

/* accept(2) reports what became of that one connection as its own errors. */
static bool is_of_one_connection(int code)
{
	static const int codes[] = {EINTR,        ECONNABORTED, EPROTO,      EPERM,
				    ENETDOWN,     ENOPROTOOPT,  EHOSTDOWN,   ENONET,
				    EHOSTUNREACH, EOPNOTSUPP,   ENETUNREACH, ETIMEDOUT};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static void hand_over(struct acceptor *acceptor, int fd, const struct sockaddr *from, socklen_t len)
{
	if (!connections_admit(acceptor->connections, fd, from)) {
		close(fd);
		return;
	}
	if (MHD_add_connection(acceptor->daemon, fd, from, len) != MHD_YES)
		connections_dismiss(acceptor->connections, fd); /* closed already */
}

static enum taken take(struct acceptor *acceptor, int listener)
{
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd;

		if (!connections_have_room(acceptor->connections))
			return TAKEN_FULL;
		fd = accept4(listener, (struct sockaddr *)&from, &len,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			acceptor->in_trouble = false;
			hand_over(acceptor, fd, (const struct sockaddr *)&from, len);
			continue;
		}
		if (errno == EAGAIN)
			return TAKEN_ALL;
		if (is_of_one_connection(errno))
			continue;
		if (!acceptor->in_trouble)
			log_line("cannot accept connections: %s", strerror(errno));
		acceptor->in_trouble = true;
		return TAKEN_NONE;
	}
	return TAKEN_SOME;
}

/* Of all sockets; what matters most is the last in `enum taken`. */
static enum taken take_all(struct acceptor *acceptor)
{
	enum taken most = TAKEN_ALL;

	for (size_t i = 0; i < acceptor->addresses->count; i++) {
		enum taken taken = take(acceptor, acceptor->addresses->list[i].fd);

		if (taken > most)
			most = taken;
	}
	return most;
}

/* Waits for a client, or where none can be taken for room. */
static void wait_for(struct acceptor *acceptor, enum taken taken, bool draining)
{
	struct pollfd waits[FIRST_LISTENER + LISTEN_ADDRESSES_MAX] = {
		{acceptor->wake, POLLIN, 0},
		{connections_room(acceptor->connections), POLLIN, 0},
	};
	nfds_t count = FIRST_LISTENER;
	eventfd_t ignored;

	if (taken == TAKEN_SOME || (taken == TAKEN_ALL && draining))
		return;
	for (size_t i = 0; taken == TAKEN_ALL && i < acceptor->addresses->count; i++)
		waits[count++] = (struct pollfd){acceptor->addresses->list[i].fd, POLLIN, 0};
	poll(waits, count, taken == TAKEN_NONE ? TROUBLE_MS : -1);
	for (int i = 0; i < FIRST_LISTENER; i++)
		if (waits[i].revents & POLLIN)
			eventfd_read(waits[i].fd, &ignored);
}

static void *accept_all(void *context)
{
	struct acceptor *acceptor = context;
	bool draining = false;

	while (atomic_load(&acceptor->state) != ACCEPTOR_ENDS) {
		enum taken taken;

		if (!draining && atomic_load(&acceptor->state) == ACCEPTOR_DRAINS) {
			draining = true;
			listen_refuse_new(acceptor->addresses);
		}
		taken = take_all(acceptor);
		if (draining && taken == TAKEN_ALL)
			break;
		wait_for(acceptor, taken, draining);
	}
	listen_close(acceptor->addresses);
	atomic_store(&acceptor->done, true);
	return NULL;
}

enum err acceptor_start(struct http_addresses *addresses, struct connections *connections,
			struct MHD_Daemon *daemon, struct acceptor **acceptor_out)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor)
		return ERR_NOMEM;
	acceptor->addresses = addresses;
	acceptor->connections = connections;
	acceptor->daemon = daemon;
	acceptor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (acceptor->wake < 0 || pthread_create(&acceptor->thread, NULL, accept_all, acceptor)) {
		if (acceptor->wake >= 0)
			close(acceptor->wake);
		free(acceptor);
		return ERR_INTERNAL;
	}
	*acceptor_out = acceptor;
	return OK;
}

static void change(struct acceptor *acceptor, enum acceptor_state state)
{
	atomic_store(&acceptor->state, state);
	eventfd_write(acceptor->wake, 1);
}

void acceptor_drain(struct acceptor *acceptor)
{
	change(acceptor, ACCEPTOR_DRAINS);
}

bool acceptor_is_done(const struct acceptor *acceptor)
{
	return atomic_load(&acceptor->done);
}

void acceptor_end(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	change(acceptor, ACCEPTOR_ENDS);
	pthread_join(acceptor->thread, NULL);
	close(acceptor->wake);
	free(acceptor);
}
