/* SPDX-License-Identifier: MIT */
/* Accepts connections. While there are as many as allowed, or no descriptor is free, clients wait
 * in the backlogs of the listening sockets. */
#include "sockets/sockets.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

/* How long to wait after accept(2) failed for want of descriptors or memory. Nothing reports that a
 * descriptor is free again: libmicrohttpd's close notification comes before the socket is
 * closed. */
#define TROUBLE_MS 100
#define FIRST_LISTENER 2 /* its index in the list for poll(2), after the two eventfds */
/* How long a drain waits for the last packets of TCP handshakes that clients have begun: a round
 * trip. The first is for sockets that only this machine can reach. */
#define ROUND_TRIP_HERE_MS 20
#define ROUND_TRIP_MS 300

enum acceptor_state {
	ACCEPTOR_RUNS,
	ACCEPTOR_DRAINS,
	ACCEPTOR_ENDS,
};

struct acceptor {
	struct acceptor_config config;
	pthread_t thread;
	int wake; /* an eventfd, for a change of `state` */
	atomic_int state;
	atomic_bool done;
	atomic_bool turned; /* since acceptor_has_turned() */
	size_t turn;        /* the listening socket that has the first turn */
	bool in_trouble;    /* accept(2) failed, and that was logged */
};

/* The result for one socket. acceptor_take_all() returns the highest result of the sockets that it
 * has tried. */
enum taken {
	TAKEN_ALL,  /* no client waits */
	TAKEN_SOME, /* more clients may wait */
	TAKEN_FULL, /* has_room() returned false */
	TAKEN_NONE, /* accept(2) failed for want of descriptors or memory */
};

/* Whether this error of accept(2) concerns only one connection, so that the next call may
 * succeed. */
static bool is_of_one_connection(int code)
{
	static const int codes[] = {EINTR,        ECONNABORTED, EPROTO,      EPERM,
				    ENETDOWN,     ENOPROTOOPT,  EHOSTDOWN,   ENONET,
				    EHOSTUNREACH, EOPNOTSUPP,   ENETUNREACH, ETIMEDOUT};

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Accepts one connection. */
static enum taken acceptor_take(struct acceptor *acceptor, size_t index)
{
	const struct acceptor_config *config = &acceptor->config;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd;

	if (!config->has_room(config->context))
		return TAKEN_FULL;
	fd = accept4(config->addresses->list[index].fd, (struct sockaddr *)&from, &len,
		     SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		acceptor->in_trouble = false;
		acceptor->turn = index + 1;
		config->take(config->context, fd, (const struct sockaddr *)&from, len);
		return TAKEN_SOME;
	}
	if (errno == EAGAIN)
		return TAKEN_ALL;
	if (is_of_one_connection(errno))
		return TAKEN_SOME;
	if (!acceptor->in_trouble)
		log_line("cannot accept connections: %s", strerror(errno));
	acceptor->in_trouble = true;
	return TAKEN_NONE;
}

/* Accepts one connection from each socket. Begins after the socket of the last accepted connection,
 * and ends where there is no room. So the sockets take turns, however much room there is at a
 * time. */
static enum taken acceptor_take_all(struct acceptor *acceptor)
{
	size_t count = acceptor->config.addresses->count, first = acceptor->turn;
	enum taken most = TAKEN_ALL;

	for (size_t i = 0; i < count; i++) {
		enum taken taken = acceptor_take(acceptor, (first + i) % count);

		if (taken == TAKEN_FULL || taken == TAKEN_NONE)
			return taken;
		if (taken > most)
			most = taken;
	}
	return most;
}

/* How long poll(2) waits. */
static int acceptor_wait_ms(enum taken taken, int64_t until)
{
	int64_t left = until - monotonic_ms();

	if (taken == TAKEN_NONE)
		return TROUBLE_MS;
	if (taken == TAKEN_FULL || !until)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* Waits for a client; if none can be accepted, waits for room. `until`: the end of a drain, by
 * monotonic_ms(); 0: no drain. */
static void acceptor_wait(struct acceptor *acceptor, enum taken taken, int64_t until)
{
	struct pollfd waits[FIRST_LISTENER + LISTEN_ADDRESSES_MAX] = {
		{acceptor->wake, POLLIN, 0},
		{acceptor->config.room, POLLIN, 0},
	};
	nfds_t count = FIRST_LISTENER;
	eventfd_t ignored;

	if (taken == TAKEN_SOME)
		return;
	for (size_t i = 0; taken == TAKEN_ALL && i < acceptor->config.addresses->count; i++)
		waits[count++] = (struct pollfd){acceptor->config.addresses->list[i].fd, POLLIN, 0};
	poll(waits, count, acceptor_wait_ms(taken, until));
	for (int i = 0; i < FIRST_LISTENER; i++)
		if (waits[i].revents & POLLIN)
			eventfd_read(waits[i].fd, &ignored);
}

/* Clients of inherited sockets wait for the next process. */
static int round_trip_ms(const struct listen_addresses *addresses)
{
	if (addresses->inherited)
		return 0;
	return listen_public(addresses) ? ROUND_TRIP_MS : ROUND_TRIP_HERE_MS;
}

static void *acceptor_loop(void *context)
{
	struct acceptor *acceptor = context;
	int64_t until = 0;

	while (atomic_load(&acceptor->state) != ACCEPTOR_ENDS) {
		bool last = until && monotonic_ms() >= until;
		enum taken taken;

		atomic_store(&acceptor->turned, true);
		if (!until && atomic_load(&acceptor->state) == ACCEPTOR_DRAINS) {
			listen_refuse_new(acceptor->config.addresses);
			until = monotonic_ms() + round_trip_ms(acceptor->config.addresses);
		}
		taken = acceptor_take_all(acceptor);
		if (last && taken == TAKEN_ALL)
			break;
		acceptor_wait(acceptor, taken, until);
	}
	listen_close(acceptor->config.addresses);
	atomic_store(&acceptor->done, true);
	return NULL;
}

enum err acceptor_start(const struct acceptor_config *config, struct acceptor **acceptor_out)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor)
		return ERR_NOMEM;
	acceptor->config = *config;
	atomic_init(&acceptor->turned, true);
	acceptor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (acceptor->wake < 0 ||
	    pthread_create(&acceptor->thread, NULL, acceptor_loop, acceptor)) {
		if (acceptor->wake >= 0)
			close(acceptor->wake);
		free(acceptor);
		return ERR_INTERNAL;
	}
	pthread_setname_np(acceptor->thread, "acceptor");
	*acceptor_out = acceptor;
	return OK;
}

static void acceptor_set_state(struct acceptor *acceptor, enum acceptor_state state)
{
	atomic_store(&acceptor->state, state);
	eventfd_write(acceptor->wake, 1);
}

void acceptor_drain(struct acceptor *acceptor)
{
	acceptor_set_state(acceptor, ACCEPTOR_DRAINS);
}

bool acceptor_has_turned(struct acceptor *acceptor)
{
	bool turned = atomic_exchange(&acceptor->turned, false);

	eventfd_write(acceptor->wake, 1);
	return turned;
}

bool acceptor_is_done(const struct acceptor *acceptor)
{
	return atomic_load(&acceptor->done);
}

void acceptor_end(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	acceptor_set_state(acceptor, ACCEPTOR_ENDS);
	pthread_join(acceptor->thread, NULL);
	close(acceptor->wake);
	free(acceptor);
}
