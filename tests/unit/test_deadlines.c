/* SPDX-License-Identifier: MIT */
/* Clients that take too long, over real sockets, with deadlines short enough to wait for. The
 * deadlines differ by orders of magnitude from the times that a test waits, and no test measures
 * speed. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "http/http.h"
#include "sockets/sockets.h"

#define SHORT_MS 300
#define LONG_S 3600
#define HANGS_MS 120000 /* ends a test that would never end */
#define LARGE (64u << 20)

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct fixture {
	struct http_server *server;
	struct listen_addresses *addresses;
	atomic_int heads, bodies;
	unsigned waits_ms; /* how long a request waits for another thread */
	size_t answer;     /* bytes of the answer */
	size_t piece;      /* bytes of its pieces; 0: it has one */
	unsigned piece_ms; /* how long it waits for each on another thread */
	size_t lost;       /* no piece comes when so many bytes are left, or fewer */
	struct http_request *waiting;
	pthread_t thread;
};

static void put(struct http_request *request, size_t size)
{
	struct buf *body = &request->response.body;

	buf_reserve(body, size);
	memset(body->ptr, 'x', size);
	body->len = size;
}

static void answer(struct fixture *fixture, struct http_request *request)
{
	size_t size = fixture->answer ? fixture->answer : 2;

	put(request, fixture->piece ? fixture->piece : size);
	request->response.more = size - request->response.body.len;
	request->response.status = 200;
}

static void put_piece(const struct fixture *fixture, struct http_request *request)
{
	uint64_t left = request->response.more;

	if (left > fixture->lost)
		put(request, left < fixture->piece ? left : fixture->piece);
}

static void *work_for_piece(void *context)
{
	struct fixture *fixture = context;

	usleep(fixture->piece_ms * 1000);
	put_piece(fixture, fixture->waiting);
	http_resume(fixture->waiting);
	return NULL;
}

static void on_more(void *app, struct http_request *request)
{
	struct fixture *fixture = app;
	pthread_t thread;

	if (!fixture->piece_ms) {
		put_piece(fixture, request);
		return;
	}
	fixture->waiting = request;
	http_suspend(request);
	pthread_create(&thread, NULL, work_for_piece, fixture);
	pthread_detach(thread);
}

static void on_head(void *app, struct http_request *request)
{
	struct fixture *fixture = app;

	(void)request;
	atomic_fetch_add(&fixture->heads, 1);
}

static void *work(void *context)
{
	struct fixture *fixture = context;

	usleep(fixture->waits_ms * 1000);
	http_resume(fixture->waiting);
	return NULL;
}

static void on_body(void *app, struct http_request *request)
{
	struct fixture *fixture = app;

	atomic_fetch_add(&fixture->bodies, 1);
	if (!fixture->waits_ms) {
		answer(fixture, request);
		return;
	}
	fixture->waiting = request;
	http_suspend(request);
	pthread_create(&fixture->thread, NULL, work, fixture);
}

static void on_resume(void *app, struct http_request *request)
{
	answer(app, request);
}

static void on_answer(void *app, struct http_request *request)
{
	(void)app;
	(void)request;
}

static void on_end(void *app, struct http_request *request)
{
	(void)app;
	(void)request;
}

static void on_refused(void *app, struct http_request *request, unsigned status, const char *why)
{
	(void)app;
	(void)why;
	request->response.status = status;
}

static const struct http_app app = {
	.on_head = on_head,
	.on_body = on_body,
	.on_resume = on_resume,
	.on_more = on_more,
	.on_answer = on_answer,
	.on_end = on_end,
	.on_refused = on_refused,
	.body_limit = LARGE,
};

/* Deadlines so long that they do not matter. */
static struct http_limits patient(void)
{
	struct http_limits limits = http_default_limits;

	limits.idle_s = LONG_S;
	limits.head_ms = limits.body_ms = LONG_S * 1000;
	return limits;
}

static void start(struct fixture *fixture, struct http_limits limits)
{
	struct http_config config = {
		.threads = 2,
		.app = &app,
		.app_data = fixture,
		.limits = limits,
	};
	struct buf why = {0};

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(listen_read("127.0.0.1:0", &fixture->addresses, &why), OK);
	config.addresses = fixture->addresses;
	assert_int_equal(http_start(&config, &fixture->server, &why), OK);
}

static void stop(struct fixture *fixture)
{
	http_stop(fixture->server);
	listen_free(fixture->addresses);
}

static void drain(struct fixture *fixture)
{
	int64_t hangs = monotonic_ms() + HANGS_MS;

	http_drain(fixture->server);
	while (!http_is_drained(fixture->server)) {
		assert_true(monotonic_ms() < hangs);
		usleep(1000);
	}
	assert_int_equal(http_under_way(fixture->server), 0);
}

static int dial(const struct fixture *fixture)
{
	const char *port = strrchr(http_address(fixture->server, 0), ':') + 1;
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static bool say(int fd, const char *text)
{
	return send(fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

static void say_head(int fd, int length)
{
	char head[128];

	snprintf(head, sizeof(head), HEAD, length);
	assert_true(say(fd, head));
}

/* Reads what arrives within that time; -1: nothing arrived, 0: the end. */
static ssize_t hear(int fd, char *text, size_t size, int wait_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t count;

	if (poll(&wait, 1, wait_ms) == 0)
		return -1;
	count = recv(fd, text, size, 0);
	return count < 0 ? 0 : count; /* a reset counts as the end */
}

static void hear_answer(int fd)
{
	char text[4096] = "";
	size_t len = 0;

	while (!strstr(text, "\r\n\r\nxx")) {
		ssize_t count = hear(fd, text + len, sizeof(text) - 1 - len, HANGS_MS);

		if (count <= 0)
			fail_msg("no answer: %s", text);
		len += (size_t)count;
		text[len] = '\0';
	}
	assert_memory_equal(text, "HTTP/1.1 200 ", 13);
}

/* Sends a byte now and then. The server must end the connection although it is never silent. */
static void drips(int fd, const char *byte)
{
	int64_t hangs = monotonic_ms() + HANGS_MS;
	char text[4096];

	while (monotonic_ms() < hangs) {
		ssize_t count = hear(fd, text, sizeof(text), 20);

		if (count == 0) {
			close(fd);
			return;
		}
		assert_int_equal(count, -1);
		if (!say(fd, byte)) {
			close(fd);
			return;
		}
	}
	fail_msg("the connection goes on");
}

static void a_first_head(void **state)
{
	static const char *const beginnings[] = {"", "G", "GET / HTTP/1.1\r\n",
						 "GET / HTTP/1.1\r\nHost: a\r\nX: "};
	struct http_limits limits = patient();
	struct fixture fixture = {0};

	(void)state;
	limits.head_ms = SHORT_MS;
	start(&fixture, limits);
	for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
		int fd = dial(&fixture);

		assert_true(say(fd, beginnings[i]));
		drips(fd, "x");
	}
	assert_int_equal(fixture.heads, 0);
	stop(&fixture);
}

static void silence_from_the_start(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	char text[64];
	int fd;

	(void)state;
	limits.head_ms = SHORT_MS;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_int_equal(hear(fd, text, sizeof(text), HANGS_MS), 0);
	close(fd);
	stop(&fixture);
}

/* The idle time applies to the first line of a later head as well, but not to the rest of the head.
 */
static void a_later_head(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	int fd;

	(void)state;
	limits.head_ms = 2000;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_true(say(fd, GET));
	hear_answer(fd);
	assert_true(say(fd, "GET / HTTP/1.1\r\nX: "));
	drips(fd, "x");
	assert_int_equal(fixture.heads, 1);
	stop(&fixture);

	fixture = (struct fixture){0};
	limits.idle_s = 1;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_true(say(fd, GET));
	hear_answer(fd);
	assert_true(say(fd, "GET /"));
	drips(fd, "x");
	stop(&fixture);
}

static void idle_between_requests(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	char text[64];
	int fd;

	(void)state;
	limits.head_ms = limits.body_ms = 2000;
	start(&fixture, limits);
	fd = dial(&fixture);
	for (int i = 0; i < 2; i++) {
		assert_true(say(fd, GET));
		hear_answer(fd);
		assert_int_equal(hear(fd, text, sizeof(text), 2 * 2000 + 1500), -1);
	}
	close(fd);
	stop(&fixture);
}

static void a_body(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	int fd;

	(void)state;
	limits.body_ms = SHORT_MS;
	start(&fixture, limits);
	fd = dial(&fixture);
	say_head(fd, 1000000);
	drips(fd, "x");
	fd = dial(&fixture);
	assert_true(say(fd, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	drips(fd, "1\r\nx\r\n");
	assert_int_equal(fixture.heads, 2);
	assert_int_equal(fixture.bodies, 0);
	stop(&fixture);
}

/* A large body may take longer than the base time for a body. */
static void a_large_body(void **state)
{
	enum { PART = 100000, PARTS = 8 };
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	char *part = malloc(PART + 1);
	int fd;

	(void)state;
	memset(part, 'x', PART);
	part[PART] = '\0';
	limits.body_ms = 2000;
	limits.bytes_per_ms = 1; /* 100 s more for each part */
	start(&fixture, limits);
	fd = dial(&fixture);
	say_head(fd, PART * PARTS);
	for (int i = 0; i < PARTS; i++) {
		assert_true(say(fd, part));
		usleep(500000);
	}
	hear_answer(fd);
	close(fd);
	free(part);
	stop(&fixture);
}

/* The time that docket itself takes does not count against a client. */
static void a_long_wait(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {.waits_ms = 4000};
	int fd;

	(void)state;
	limits.body_ms = limits.head_ms = 1000;
	start(&fixture, limits);
	fd = dial(&fixture);
	say_head(fd, 2);
	assert_true(say(fd, "{}"));
	hear_answer(fd);
	pthread_join(fixture.thread, NULL);
	close(fd);
	stop(&fixture);
}

/* Reads the answer byte by byte, so libmicrohttpd's own timeout never expires. */
static void an_answer(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {.answer = LARGE};
	char *text = malloc(LARGE);
	size_t heard = 0;
	ssize_t count;
	int fd;

	(void)state;
	limits.body_ms = SHORT_MS;
	limits.bytes_per_ms = LARGE;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_true(say(fd, GET));
	for (int i = 0; i < 4; i++) {
		assert_true(hear(fd, text, 1, HANGS_MS) > 0);
		usleep(1000000);
	}
	while ((count = hear(fd, text, LARGE, HANGS_MS)) > 0)
		heard += (size_t)count;
	assert_int_equal(count, 0);
	assert_true(heard < LARGE);
	free(text);
	close(fd);
	stop(&fixture);
}

/* Reads to the end; returns the bytes of the body. */
static size_t hear_to_end(int fd)
{
	static char text[1 << 16];
	size_t heard = 0, head = 0;
	ssize_t count;

	while ((count = hear(fd, text, sizeof(text), HANGS_MS)) > 0) {
		const char *end = head ? NULL : memmem(text, (size_t)count, "\r\n\r\n", 4);

		if (end)
			head = (size_t)(end - text) + 4;
		heard += (size_t)count;
	}
	assert_int_equal(count, 0);
	return heard - head;
}

static void an_answer_in_pieces(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {.answer = LARGE, .piece = 100000};
	char byte;
	int fd;

	(void)state;
	limits.body_ms = SHORT_MS;
	limits.bytes_per_ms = LARGE;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_true(say(fd, GET));
	for (int i = 0; i < 4; i++) {
		assert_true(hear(fd, &byte, 1, HANGS_MS) > 0);
		usleep(1000000);
	}
	assert_true(hear_to_end(fd) < LARGE);
	close(fd);
	stop(&fixture);
}

/* The client's time does not run while the server has nothing for it. */
static void a_wait_for_pieces(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {.answer = 5000, .piece = 2000, .piece_ms = 2500};
	int fd;

	(void)state;
	limits.body_ms = 1000;
	limits.idle_s = 1;
	start(&fixture, limits);
	fd = dial(&fixture);
	assert_true(say(fd, "GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
	assert_int_equal(hear_to_end(fd), 5000);
	close(fd);
	stop(&fixture);
}

static void a_piece_that_does_not_come(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 2; ms++) {
		struct fixture fixture = {
			.answer = 1000000, .piece = 70000, .piece_ms = ms, .lost = 500000};
		int fd;

		start(&fixture, patient());
		fd = dial(&fixture);
		assert_true(say(fd, GET));
		assert_int_equal(hear_to_end(fd), 560000); /* eight pieces */
		close(fd);
		stop(&fixture);
	}
}

static void await(const atomic_int *counter, int count)
{
	int64_t hangs = monotonic_ms() + HANGS_MS;

	while (atomic_load(counter) < count) {
		assert_true(monotonic_ms() < hangs);
		usleep(1000);
	}
}

/* The end of the stream arrives with the last bytes, and epoll reports both only once. */
static void gone_in_the_middle(void **state)
{
	struct fixture fixture = {0};
	int fd;

	(void)state;
	start(&fixture, patient());
	for (int i = 1; i <= 4; i++) {
		fd = dial(&fixture);
		say_head(fd, 100);
		assert_true(say(fd, "half"));
		if (i % 2)
			shutdown(fd, SHUT_WR);
		close(fd);
		await(&fixture.heads, i);
	}
	drain(&fixture);
	stop(&fixture);
}

/* The same without a body: the end in one segment with a whole request, and with half a line. */
static void gone_between_requests(void **state)
{
	static const char *const last[] = {GET, "GET /"};
	struct fixture fixture = {0};
	char text[64];

	(void)state;
	start(&fixture, patient());
	for (size_t i = 0; i < COUNT_OF(last); i++) {
		int fd = dial(&fixture);

		assert_true(send(fd, last[i], strlen(last[i]), MSG_MORE) > 0);
		shutdown(fd, SHUT_WR);
		if (strcmp(last[i], GET) == 0)
			hear_answer(fd);
		assert_int_equal(hear(fd, text, sizeof(text), HANGS_MS), 0);
		close(fd);
	}
	stop(&fixture);
}

/* A client may shut down its sending side after a whole request. The other connections are older,
 * on both threads, because libmicrohttpd treats the oldest connection of a thread differently. */
static void half_closed(void **state)
{
	struct fixture fixture = {.waits_ms = 5000};
	int others[4], fd;

	(void)state;
	start(&fixture, patient());
	for (int i = 0; i < 4; i++)
		others[i] = dial(&fixture);
	fd = dial(&fixture);
	say_head(fd, 2);
	assert_true(say(fd, "{}"));
	shutdown(fd, SHUT_WR);
	hear_answer(fd);
	pthread_join(fixture.thread, NULL);
	close(fd);
	for (int i = 0; i < 4; i++)
		close(others[i]);
	stop(&fixture);
}

static atomic_bool churning;

static void *churn(void *context)
{
	const struct fixture *fixture = context;
	char text[256];

	while (atomic_load(&churning)) {
		int fd = dial(fixture);

		/* The server ends every third connection, the client the others. */
		if (fd % 3 == 0 || say(fd, GET))
			hear(fd, text, sizeof(text), HANGS_MS);
		close(fd);
	}
	return NULL;
}

/* The kernel reuses descriptors at once. The server must end no descriptor but those of late
 * connections. */
static void no_other_descriptor(void **state)
{
	struct http_limits limits = patient();
	struct fixture fixture = {0};
	pthread_t threads[4];
	int64_t end = monotonic_ms() + 3500;

	(void)state;
	limits.head_ms = 1;
	start(&fixture, limits);
	atomic_store(&churning, true);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, &fixture);
	while (monotonic_ms() < end) {
		int pair[2];
		char byte;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		usleep(200);
		assert_int_equal(send(pair[0], "x", 1, 0), 1);
		assert_int_equal(recv(pair[1], &byte, 1, 0), 1);
		close(pair[0]);
		close(pair[1]);
	}
	atomic_store(&churning, false);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	drain(&fixture);
	stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_head),
		cmocka_unit_test(silence_from_the_start),
		cmocka_unit_test(a_later_head),
		cmocka_unit_test(idle_between_requests),
		cmocka_unit_test(a_body),
		cmocka_unit_test(a_large_body),
		cmocka_unit_test(a_long_wait),
		cmocka_unit_test(an_answer),
		cmocka_unit_test(an_answer_in_pieces),
		cmocka_unit_test(a_wait_for_pieces),
		cmocka_unit_test(a_piece_that_does_not_come),
		cmocka_unit_test(gone_in_the_middle),
		cmocka_unit_test(gone_between_requests),
		cmocka_unit_test(half_closed),
		cmocka_unit_test(no_other_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
