/* SPDX-License-Identifier: MIT */
/* The routes, with their requests between the two samples. */
#ifndef TOP_ROUTES_H
#define TOP_ROUTES_H

#include <stddef.h>

#include "sample.h"

#define ROUTES_MAX 128
#define CLASSES 6 /* of statuses: [2] is 2xx */

struct route_row {
	const char *method, *route;
	double rate; /* requests a second */
	double by_class[CLASSES];
	/* Microseconds; RATE_UNKNOWN: no request in this time. The percentiles are upper bounds;
	 * INT64_MAX: there is none. */
	double mean_us;
	int64_t p50_us, p99_us;
	int64_t total; /* since the start */
};

enum route_order { ORDER_RATE, ORDER_MEAN, ORDER_P99, ORDER_ERRORS, ORDER_TOTAL, ORDER_NAME };
#define ORDERS (ORDER_NAME + 1)

/* Reads the routes of the samples, and all of them together. Returns how many there are, at most
 * ROUTES_MAX. The texts live as long as the samples. */
size_t routes_read(const struct samples *samples, struct route_row rows[ROUTES_MAX],
		   struct route_row *all_out);
void routes_sort(struct route_row *rows, size_t count, enum route_order order, bool reverse);

#endif
