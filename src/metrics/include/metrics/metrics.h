/* SPDX-License-Identifier: MIT */
/* What the process counts. One table (counters_table.c) has every counter, with its name in docket
 * status and its name for Prometheus. The numbers come from the counters of all parts; nothing here
 * waits for the database.
 *
 *	struct metrics_sources sources = {.app = &app, .server = server, …};
 *	struct metrics *metrics;
 *
 *	err = listen_read("127.0.0.1:9090", &addresses, &why);
 *	if (!err)
 *		err = metrics_start(&sources, addresses, &metrics, &why);
 *	…
 *	metrics_stop(metrics);
 *	listen_free(addresses);
 *
 * To add a counter: a member of struct counters, the code in counters.c that sets it, and its row
 * in counters_table.c. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct app;
struct backups;
struct delivery;
struct http_server;
struct json_t; /* of jansson */
struct listen_addresses;
struct replica;

/* The daily backup. Times may be TIME_NONE. */
struct backup_counters {
	bool fails;      /* the last one failed */
	int64_t made_at; /* the newest one */
	int64_t bytes;   /* of it; 0: there is none */
	int64_t made, failures;
};

/* The parts that count. They outlive the metrics. */
struct metrics_sources {
	const struct app *app;
	const struct http_server *server;
	struct delivery *delivery;
	struct replica *replica; /* NULL: there is none */
	struct backups *backups; /* NULL: there are none */
	void (*count_backups)(struct backups *backups, struct backup_counters *counters_out);
	const char *database; /* "sqlite" or "postgresql" */
	int64_t began_ms;     /* when the process began to serve, by monotonic_ms() */
	int64_t began_at_ms;  /* the same by system_ms() */
};

/* The sections that docket status shows. NULL: out of memory. */
struct json_t *metrics_status(const struct metrics_sources *sources);

/* Writes all metrics in Prometheus' text format, version 0.0.4. */
void metrics_write(const struct metrics_sources *sources, struct buf *out);

/* Answers GET /metrics at these addresses, on threads of its own. So it does not wait for the API,
 * and the API does not wait for it. */
struct metrics;

/* Starts to listen. The addresses stay the caller's and must outlive the metrics. On an error `why`
 * says what failed. */
enum err metrics_start(const struct metrics_sources *sources, struct listen_addresses *addresses,
		       struct metrics **metrics_out, struct buf *why);
/* An address where it listens, such as "127.0.0.1:9090"; NULL after the last one. */
const char *metrics_address(const struct metrics *metrics, size_t index);
/* Closes the listener. NULL is accepted. */
void metrics_stop(struct metrics *metrics);

#endif
