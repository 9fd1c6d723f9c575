/* SPDX-License-Identifier: MIT */
/* The limit of answers, for bench/compare.py: bare libmicrohttpd, which answers every request with
 * the same headers and the same body. limit_http THREADS HEADERS BODY; the file HEADERS has a
 * header a line. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>

static struct MHD_Response *response;

static enum MHD_Result answer(void *unused, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *body,
			      size_t *body_len, void **slot)
{
	(void)unused, (void)url, (void)method, (void)version, (void)body, (void)body_len;
	/* libmicrohttpd closes the connection if the answer is queued at the first call. */
	if (!*slot) {
		*slot = response;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static void read_body(const char *path)
{
	FILE *file = fopen(path, "rb");
	static char body[1 << 20];
	size_t len = file ? fread(body, 1, sizeof(body), file) : 0;

	if (!len || !feof(file))
		exit(1);
	fclose(file);
	response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_PERSISTENT);
	MHD_set_response_options(response, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
}

static void read_headers(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strstr(line, ": ");

		line[strcspn(line, "\n")] = '\0';
		if (!colon)
			exit(1);
		*colon = '\0';
		MHD_add_response_header(response, line, colon + 2);
	}
	if (!file)
		exit(1);
	fclose(file);
}

int main(int argc, char **argv)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned threads = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct MHD_Daemon *daemon;
	sigset_t signals;
	int caught;

	if (!threads)
		return 2;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	read_body(argv[3]);
	read_headers(argv[2]);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL,
				  MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE,
				  threads > 1 ? threads : 0, MHD_OPTION_END);
	if (!daemon)
		return 1;
	fprintf(stderr, "listening on http://127.0.0.1:%d\n",
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	sigwait(&signals, &caught);
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}
