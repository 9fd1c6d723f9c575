/* SPDX-License-Identifier: MIT */
/* Two clients of one thread of the server: the one with many connections waits for itself. No test
 * measures speed: the thread stands still until all requests of a test are there. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/http.h"
#include "load/turns.h"
#include "sockets/sockets.h"

#define MANY 40  /* connections of the heavy client */
#define FEW 2    /* of the light one */
#define FIRST 20 /* both requests of the light one are among so many that are served first */
#define SLOW_US 50000

struct fixture {
	struct http_server *server;
	struct listen_addresses *addresses;
	struct turns *turns;
	int heavy[MANY], light[FEW];
	atomic_bool closed; /* the thread stands still in a request */
	atomic_bool stands; /* it does so now */
	/* Whose requests were served: 1 heavy, 2 light. */
	int served[256];
	atomic_int count;
};

static int64_t client_of(const struct http_request *request)
{
	return request->path.ptr[1] - '0';
}

static void serve(struct fixture *fixture, struct http_request *request)
{
	fixture->served[atomic_load(&fixture->count)] = (int)client_of(request);
	while (atomic_load(&fixture->closed)) {
		atomic_store(&fixture->stands, true);
		usleep(1000);
	}
	atomic_store(&fixture->stands, false);
	atomic_fetch_add(&fixture->count, 1);
	buf_add_text(&request->response.body, "xx");
	request->response.status = 200;
}

static void resume(void *context)
{
	http_resume(context);
}

static void on_body(void *app, struct http_request *request)
{
	struct fixture *fixture = app;
	struct turn *turn = calloc(1, sizeof(*turn));

	request->app_data = turn;
	if (turn_wait(fixture->turns, turn, client_of(request), resume, request))
		http_suspend(request);
	else
		serve(fixture, request);
}

static void on_resume(void *app, struct http_request *request)
{
	turn_begin(request->app_data);
	serve(app, request);
}

static void on_end(void *app, struct http_request *request)
{
	(void)app;
	free(request->app_data);
}

static void ignore(void *app, struct http_request *request)
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
	.on_head = ignore,
	.on_body = on_body,
	.on_resume = on_resume,
	.on_answer = ignore,
	.on_end = on_end,
	.on_refused = on_refused,
};

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

static void ask(int fd, int client)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", client);

	assert_int_equal(send(fd, text, (size_t)len, 0), len);
}

static void hear_answer(int fd)
{
	char text[4096] = "";
	size_t len = 0;

	while (!strstr(text, "\r\n\r\nxx")) {
		ssize_t count = recv(fd, text + len, sizeof(text) - 1 - len, 0);

		if (count <= 0)
			fail_msg("no answer: %s", text);
		len += (size_t)count;
		text[len] = '\0';
	}
	assert_memory_equal(text, "HTTP/1.1 200 ", 13);
}

/* Opens the connections of one client. Each has had an answer then, so the thread knows it. */
static void dial_all(const struct fixture *fixture, int *fds, int count, int client)
{
	for (int i = 0; i < count; i++) {
		fds[i] = dial(fixture);
		ask(fds[i], client);
		hear_answer(fds[i]);
	}
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct http_config config = {.threads = 1, .app = &app, .limits = http_default_limits};
	struct buf why = {0};

	assert_non_null(fixture);
	assert_int_equal(listen_read("127.0.0.1:0", &fixture->addresses, &why), OK);
	assert_int_equal(turns_new(config.threads, &fixture->turns), OK);
	config.app_data = fixture;
	config.addresses = fixture->addresses;
	assert_int_equal(http_start(&config, &fixture->server, &why), OK);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	turns_end(fixture->turns);
	http_stop(fixture->server);
	turns_free(fixture->turns);
	listen_free(fixture->addresses);
	free(fixture);
	return 0;
}

/* The thread stands still in the first request of the heavy client until all others are there. */
static void send_all(struct fixture *fixture, bool light)
{
	atomic_store(&fixture->count, 0);
	atomic_store(&fixture->closed, true);
	ask(fixture->heavy[0], 1);
	while (!atomic_load(&fixture->stands))
		usleep(1000);
	if (light)
		ask(fixture->light[0], 2);
	for (int i = 1; i < MANY; i++)
		ask(fixture->heavy[i], 1);
	if (light)
		ask(fixture->light[1], 2);
	usleep(SLOW_US); /* so the thread finds that a request of this client takes long */
	atomic_store(&fixture->closed, false);
}

static void the_heavy_client_waits(void **state)
{
	struct fixture *fixture = *state;
	int before = 0;

	dial_all(fixture, fixture->light, FEW, 2);
	dial_all(fixture, fixture->heavy, MANY, 1);
	send_all(fixture, true);
	for (int i = 0; i < MANY; i++)
		hear_answer(fixture->heavy[i]);
	for (int i = 0; i < FEW; i++)
		hear_answer(fixture->light[i]);
	assert_int_equal(atomic_load(&fixture->count), MANY + FEW);
	for (int i = 0; i < FIRST; i++)
		before += fixture->served[i] == 2;
	assert_int_equal(before, FEW);
	assert_true(turns_waited(fixture->turns) >= MANY - FIRST);
}

static void one_client_alone_never_waits(void **state)
{
	struct fixture *fixture = *state;

	dial_all(fixture, fixture->heavy, MANY, 1);
	send_all(fixture, false);
	for (int i = 0; i < MANY; i++)
		hear_answer(fixture->heavy[i]);
	assert_int_equal(atomic_load(&fixture->count), MANY);
	assert_int_equal(turns_waited(fixture->turns), 0);
}

/* libmicrohttpd ends the process if a connection is suspended then. */
static void the_server_ends_while_requests_wait(void **state)
{
	struct fixture *fixture = *state;

	dial_all(fixture, fixture->light, FEW, 2);
	dial_all(fixture, fixture->heavy, MANY, 1);
	send_all(fixture, true);
	hear_answer(fixture->light[1]);
	assert_true(turns_waited(fixture->turns) >= MANY - FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_heavy_client_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(one_client_alone_never_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(the_server_ends_while_requests_wait, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
