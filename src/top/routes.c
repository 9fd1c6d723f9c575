/* SPDX-License-Identifier: MIT */
/* Requests by route: rates, and times by the histogram of each route. */
#include "routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BUCKETS 32

/* How many requests took at most `up_to`, between the samples. */
struct bucket {
	int64_t up_to, count; /* INT64_MAX: no bound */
};

struct buckets {
	struct bucket list[BUCKETS];
	size_t count;
};

static const json_t *route_find(const json_t *status, const json_t *like)
{
	const json_t *routes = json_object_get(json_object_get(status, "requests"), "by_route");
	size_t at;
	json_t *route;

	json_array_foreach ((json_t *)routes, at, route)
		if (json_equal(json_object_get(route, "route"), json_object_get(like, "route")) &&
		    json_equal(json_object_get(route, "method"), json_object_get(like, "method")))
			return route;
	return NULL;
}

static void buckets_add(struct buckets *buckets, int64_t up_to, int64_t count)
{
	size_t at = 0;

	while (at < buckets->count && buckets->list[at].up_to < up_to)
		at++;
	if (at == buckets->count || buckets->list[at].up_to != up_to) {
		if (buckets->count == BUCKETS)
			return;
		memmove(&buckets->list[at + 1], &buckets->list[at],
			(buckets->count - at) * sizeof(buckets->list[0]));
		buckets->list[at] = (struct bucket){up_to, 0};
		buckets->count++;
	}
	buckets->list[at].count += count;
}

static void buckets_read(struct buckets *buckets, const json_t *route, int sign)
{
	const json_t *times = json_object_get(route, "times_by_us");
	json_t *time;
	size_t at;

	json_array_foreach ((json_t *)times, at, time) {
		const json_t *up_to = json_object_get(time, "up_to");

		buckets_add(buckets, json_is_integer(up_to) ? json_integer_value(up_to) : INT64_MAX,
			    sign * json_integer_value(json_object_get(time, "count")));
	}
}

static int64_t buckets_total(const struct buckets *buckets)
{
	int64_t total = 0;

	for (size_t i = 0; i < buckets->count; i++)
		total += buckets->list[i].count;
	return total;
}

/* The bound that `percent` of the requests kept. */
static int64_t buckets_bound(const struct buckets *buckets, int percent)
{
	int64_t total = buckets_total(buckets), sum = 0;

	for (size_t i = 0; i < buckets->count && total > 0; i++) {
		sum += buckets->list[i].count;
		if (sum * 100 >= total * percent)
			return buckets->list[i].up_to;
	}
	return 0;
}

static int64_t statuses_of_class(const json_t *route, size_t class)
{
	const json_t *answered = json_object_get(route, "answered");
	const char *status;
	int64_t sum = 0;
	json_t *count;

	json_object_foreach ((json_t *)answered, status, count)
		if (class == 0 || status[0] == (char)('0' + class))
			sum += json_integer_value(count);
	return sum;
}

static int64_t route_us(const json_t *route)
{
	return json_integer_value(json_object_get(route, "total_us"));
}

/* `us` is the time of the requests in `buckets`. */
static void row_set_times(struct route_row *row, const struct buckets *buckets, int64_t us)
{
	int64_t count = buckets_total(buckets);

	row->mean_us = count > 0 ? (double)us / (double)count : RATE_UNKNOWN;
	row->p50_us = buckets_bound(buckets, 50);
	row->p99_us = buckets_bound(buckets, 99);
}

size_t routes_read(const struct samples *samples, struct route_row rows[ROUTES_MAX],
		   struct route_row *all_out)
{
	const json_t *routes =
		json_object_get(json_object_get(samples->now, "requests"), "by_route");
	struct buckets every = {0};
	int64_t every_us = 0, every_class[CLASSES] = {0};
	size_t at, count = 0;
	json_t *now;

	*all_out = (struct route_row){.method = "", .route = "all"};
	json_array_foreach ((json_t *)routes, at, now) {
		const json_t *before = route_find(samples->before, now);
		struct route_row *row = &rows[count];
		int64_t us = route_us(now) - route_us(before);
		struct buckets buckets = {0};
		const char *method = json_string_value(json_object_get(now, "method"));
		const char *route = json_string_value(json_object_get(now, "route"));

		if (count == ROUTES_MAX || !method || !route)
			break;
		*row = (struct route_row){.method = method, .route = route};
		for (size_t i = 0; i < CLASSES; i++) {
			int64_t more = statuses_of_class(now, i) - statuses_of_class(before, i);

			row->by_class[i] = samples_rate_of(samples, more);
			every_class[i] += more;
		}
		row->rate = row->by_class[0];
		row->total = statuses_of_class(now, 0);
		all_out->total += row->total;
		if (samples_have_rates(samples)) {
			buckets_read(&buckets, now, 1);
			buckets_read(&buckets, before, -1);
			buckets_read(&every, now, 1);
			buckets_read(&every, before, -1);
			every_us += us;
		}
		row_set_times(row, &buckets, us);
		count++;
	}
	for (size_t i = 0; i < CLASSES; i++)
		all_out->by_class[i] = samples_rate_of(samples, every_class[i]);
	all_out->rate = all_out->by_class[0];
	row_set_times(all_out, &every, every_us);
	return count;
}

static double row_value(const struct route_row *row, enum route_order order)
{
	switch (order) {
	case ORDER_MEAN:
		return row->mean_us;
	case ORDER_P99:
		return (double)row->p99_us;
	case ORDER_ERRORS:
		return row->by_class[4] + row->by_class[5];
	case ORDER_TOTAL:
		return (double)row->total;
	default:
		return row->rate;
	}
}

struct sorting {
	enum route_order order;
	int sign;
};

/* The largest number first, or the first name; what is the same, by name. */
static int rows_compare(const void *one, const void *other, void *context)
{
	const struct route_row *a = one, *b = other;
	const struct sorting *sorting = context;
	double x = row_value(a, sorting->order), y = row_value(b, sorting->order);
	int names = strcmp(a->route, b->route);

	if (!names)
		names = strcmp(a->method, b->method);
	if (sorting->order == ORDER_NAME)
		return sorting->sign * names;
	return x > y ? -sorting->sign : x < y ? sorting->sign : names;
}

void routes_sort(struct route_row *rows, size_t count, enum route_order order, bool reverse)
{
	struct sorting sorting = {order, reverse ? -1 : 1};

	qsort_r(rows, count, sizeof(*rows), rows_compare, &sorting);
}
