/* SPDX-License-Identifier: MIT */
/* The main thread while docket serves. */
#ifndef SERVE_SUPERVISE_H
#define SERVE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct store;

struct supervised {
	struct http_server *server;
	struct store *store;
	bool tls;
	int64_t statement_ms; /* how long a statement may take */
	const sigset_t *signals;
};

/* Blocks the signals that serving_supervise() waits for; call it before any thread starts. */
void signals_block(sigset_t *set_out);

/* Tells systemd that docket is ready, and returns when SIGTERM or SIGINT comes. Until then SIGHUP
 * reads the certificates again. With TLS, each day at midnight (UTC) it warns of certificates that
 * expire and renews the key of session tickets. If systemd has a watchdog, it is told that docket
 * is well at half of its time, but only while the threads that accept connections, read and write
 * turn. */
void serving_supervise(const struct supervised *serving);

#endif
