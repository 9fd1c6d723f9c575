/* SPDX-License-Identifier: MIT */
/* The list of connections, over real sockets and without libmicrohttpd. The tests call the list in
 * its place, so they choose when it reads and when it fails. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/connections.h"

#define HANGS_MS 120000 /* ends a test that would never end */

/* Stands for a connection of libmicrohttpd. The list only stores the pointer. */
static char library;

static const struct sockaddr_in from = {.sin_family = AF_INET};

static struct connections *make(unsigned count)
{
	struct http_limits limits = http_default_limits;
	struct connections *connections;

	limits.connections = count;
	assert_int_equal(connections_new(&limits, &connections), OK);
	return connections;
}

static void destroy(struct connections *connections)
{
	connections_end(connections);
	connections_free(connections);
}

/* The server's end, which does not block, and the client's. */
static int dial(int *client_out)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	*client_out = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(*client_out, (struct sockaddr *)&at, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	close(listener);
	return fd;
}

static bool admit(struct connections *connections, int fd)
{
	return connections_admit(connections, fd, (const struct sockaddr *)&from);
}

/* Drains until the reading side of the connection has ended. */
static void drain(struct connections *connections, int fd)
{
	int64_t hangs = monotonic_ms() + HANGS_MS;
	char byte;

	while (recv(fd, &byte, 1, MSG_PEEK) != 0) {
		assert_true(monotonic_ms() < hangs);
		assert_int_equal(connections_drain(connections, 0), 1);
		usleep(1000);
	}
}

/* A request arrives while the drain ends its connection: libmicrohttpd can still read and answer
 * it. */
static void a_request_at_the_last_moment(void **state)
{
	struct connections *connections = make(1);
	struct connection *connection;
	char text[8] = "";
	int client, fd = dial(&client);

	(void)state;
	assert_true(admit(connections, fd));
	connection = connections_begin(connections, (struct MHD_Connection *)&library, fd);
	drain(connections, fd);
	assert_int_equal(send(client, "body", 4, MSG_NOSIGNAL), 4);
	connection_begins_request(connection);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 4);
	assert_int_equal(send(fd, "answer", 6, MSG_NOSIGNAL), 6);
	assert_int_equal(recv(client, text, sizeof(text), 0), 6);
	assert_memory_equal(text, "answer", 6);
	connections_remove(connection);
	close(fd);
	close(client);
	destroy(connections);
}

/* Bytes that nobody has read yet keep their connection open, however long they wait. */
static void unread_bytes(void **state)
{
	struct connections *connections = make(1);
	struct connection *connection;
	int64_t until = monotonic_ms() + 1500;
	char text[8];
	int client, fd = dial(&client);

	(void)state;
	assert_true(admit(connections, fd));
	connection = connections_begin(connections, (struct MHD_Connection *)&library, fd);
	assert_int_equal(send(client, "GET", 3, MSG_NOSIGNAL), 3);
	while (monotonic_ms() < until) {
		assert_int_equal(connections_drain(connections, 0), 1);
		usleep(1000);
	}
	assert_int_equal(recv(fd, text, sizeof(text), 0), 3);
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	assert_int_equal(errno, EAGAIN);
	drain(connections, fd);
	connections_remove(connection);
	close(fd);
	close(client);
	destroy(connections);
}

/* A handshake in progress may take longer than a silent client. */
static void a_handshake(void **state)
{
	struct connections *connections = make(2);
	struct connection *connection, *silent;
	int client, other_client, fd = dial(&client), other = dial(&other_client);
	char byte;

	(void)state;
	assert_true(admit(connections, fd) && admit(connections, other));
	connection = connections_begin(connections, (struct MHD_Connection *)&library, fd);
	connection_shakes_hands(connection);
	silent = connections_begin(connections, (struct MHD_Connection *)&library, other);
	while (recv(other, &byte, 1, 0) != 0) {
		assert_int_equal(connections_drain(connections, 0), 2);
		usleep(1000);
	}
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	connections_remove(silent);
	connection_awaits_request(connection);
	drain(connections, fd);
	connections_remove(connection);
	close(fd);
	close(client);
	close(other);
	close(other_client);
	destroy(connections);
}

/* libmicrohttpd accepts a connection and then fails to begin it, for want of memory. It does not
 * notify docket. When docket finds out, another file may have the descriptor. */
static void one_that_never_began(void **state)
{
	struct connections *connections = make(2);
	int64_t hangs = monotonic_ms() + HANGS_MS;
	int clients[3], fds[3], file;

	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = dial(&clients[i]);
	for (int i = 0; i < 2; i++)
		assert_true(admit(connections, fds[i]));
	assert_false(connections_have_room(connections));
	file = open("/dev/null", O_RDONLY);
	assert_int_equal(dup2(file, fds[0]), fds[0]);
	while (!connections_have_room(connections)) {
		assert_true(monotonic_ms() < hangs);
		usleep(1000);
	}
	/* The other connection still has its socket, so it stays in the list. */
	assert_int_equal(connections_drain(connections, 0), 1);
	assert_int_equal(dup2(fds[2], fds[0]), fds[0]);
	assert_true(admit(connections, fds[0]));
	assert_int_equal(connections_drain(connections, 0), 2);
	close(file);
	for (int i = 0; i < 3; i++) {
		close(fds[i]);
		close(clients[i]);
	}
	destroy(connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_at_the_last_moment),
		cmocka_unit_test(unread_bytes),
		cmocka_unit_test(a_handshake),
		cmocka_unit_test(one_that_never_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
