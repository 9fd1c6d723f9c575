/* SPDX-License-Identifier: MIT */
/* Counts the requests whose answer was sent: by route and status, by route and time, and by
 * problem. A client cannot add anything to count by: only rows of docket's own tables are.
 *
 *	struct route_traffic traffic;
 *	struct app app = {.routes = &api_routes, .traffic = traffic_new(&api_routes), …};
 *	…
 *	traffic_read(app.traffic, 0, &traffic); // of the first row
 *	traffic_free(app.traffic);
 *
 * Each processor has counters of its own, so that threads do not wait for each other. A reader adds
 * them up. While requests end, what it reads need not be of one moment. */
#ifndef PIPELINE_TRAFFIC_H
#define PIPELINE_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

#define TRAFFIC_BUCKETS 17

struct route_table;
struct traffic;

/* The upper bounds of the buckets in microseconds, in ascending order. The last bucket has none:
 * its bound is 0. */
extern const int64_t traffic_bounds_us[TRAFFIC_BUCKETS];

struct route_traffic {
	uint64_t statuses[HTTP_STATUSES]; /* by http_status_index() */
	/* Requests by their time, from their first line until the answer was handed to the
	 * kernel. */
	uint64_t buckets[TRAFFIC_BUCKETS];
	uint64_t us; /* the time of all */
};

/* NULL: out of memory. */
struct traffic *traffic_new(const struct route_table *routes);
/* NULL is accepted. */
void traffic_free(struct traffic *traffic);

/* The counters of row `index` of the route table. HEAD counts as GET. The index after the last row
 * is for all other requests: those with a path or a method that no row has, and malformed ones. */
void traffic_read(const struct traffic *traffic, size_t index, struct route_traffic *traffic_out);
/* How many answers had a problem; `code` is an enum problem_code. */
uint64_t traffic_problems(const struct traffic *traffic, unsigned code);

#endif
