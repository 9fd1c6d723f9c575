/* SPDX-License-Identifier: MIT */
/* The metrics whose labels come from docket's other tables: routes, statuses, problems and
 * errors. */
#include <jansson.h>

#include "counters.h"
#include "pipeline/pipeline.h"
#include "pipeline/traffic.h"
#include "place/place.h"

#define STATUS_DIGITS 12

void write_build_info(const struct metrics_sources *sources, const struct family *family,
		      struct buf *out)
{
	char schema[STATUS_DIGITS];
	const struct label labels[] = {
		{"version", DOCKET_VERSION}, {"database", sources->database}, {"schema", schema}};

	snprintf(schema, sizeof(schema), "%d", store_schema());
	exposition_sample(out, family->name, "", labels, COUNT_OF(labels), (struct amount){1, 0});
}

/* The labels of a row of the route table; the index after the last row stands for all requests that
 * no row is for. */
static void route_label(const struct metrics_sources *sources, size_t index,
			struct label labels_out[2])
{
	const struct route_table *routes = sources->app->routes;
	bool other = index == routes->count;

	labels_out[0] = (struct label){"method", other ? "other" : routes->rows[index].method};
	labels_out[1] = (struct label){"route", other ? "other" : routes->rows[index].path};
}

void write_requests(const struct metrics_sources *sources, const struct family *family,
		    struct buf *out)
{
	char status[STATUS_DIGITS];
	struct label labels[3];

	labels[2] = (struct label){"status", status};
	for (size_t i = 0; i <= sources->app->routes->count; i++) {
		struct route_traffic traffic;

		traffic_read(sources->app->traffic, i, &traffic);
		route_label(sources, i, labels);
		for (size_t j = 0; j < HTTP_STATUSES; j++) {
			if (!traffic.statuses[j])
				continue;
			snprintf(status, sizeof(status), "%u", http_status_at(j));
			exposition_sample(out, family->name, "", labels, COUNT_OF(labels),
					  (struct amount){(int64_t)traffic.statuses[j], 0});
		}
	}
}

static bool is_route_used(const struct route_traffic *traffic)
{
	for (size_t i = 0; i < TRAFFIC_BUCKETS; i++)
		if (traffic->buckets[i])
			return true;
	return false;
}

void write_request_seconds(const struct metrics_sources *sources, const struct family *family,
			   struct buf *out)
{
	for (size_t i = 0; i <= sources->app->routes->count; i++) {
		struct route_traffic traffic;
		struct label labels[2];

		traffic_read(sources->app->traffic, i, &traffic);
		if (!is_route_used(&traffic))
			continue;
		route_label(sources, i, labels);
		exposition_histogram(out, family->name, labels, COUNT_OF(labels), traffic_bounds_us,
				     traffic.buckets, TRAFFIC_BUCKETS,
				     (struct amount){(int64_t)traffic.us, 6});
	}
}

/* The requests of a route by their status. */
static json_t *statuses_json(const struct route_traffic *traffic)
{
	json_t *statuses = json_object();
	char status[STATUS_DIGITS];

	for (size_t i = 0; i < HTTP_STATUSES; i++) {
		snprintf(status, sizeof(status), "%u", http_status_at(i));
		if (traffic->statuses[i])
			json_object_set_new(statuses, status,
					    json_integer((json_int_t)traffic->statuses[i]));
	}
	return statuses;
}

/* The same by their time, in the form of the other histograms. */
static json_t *times_json(const struct route_traffic *traffic)
{
	json_t *buckets = json_array();

	for (size_t i = 0; i < TRAFFIC_BUCKETS; i++)
		if (traffic->buckets[i])
			json_array_append_new(buckets,
					      json_pack("{so sI}", "up_to",
							traffic_bounds_us[i]
								? json_integer(traffic_bounds_us[i])
								: json_null(),
							"count", (json_int_t)traffic->buckets[i]));
	return buckets;
}

json_t *requests_by_route(const struct metrics_sources *sources)
{
	json_t *routes = json_array();

	for (size_t i = 0; i <= sources->app->routes->count; i++) {
		struct route_traffic traffic;
		struct label labels[2];

		traffic_read(sources->app->traffic, i, &traffic);
		route_label(sources, i, labels);
		if (is_route_used(&traffic))
			json_array_append_new(routes,
					      json_pack("{ss ss so sI so}", "method",
							labels[0].value, "route", labels[1].value,
							"answered", statuses_json(&traffic),
							"total_us", (json_int_t)traffic.us,
							"times_by_us", times_json(&traffic)));
	}
	return routes;
}

void write_problems(const struct metrics_sources *sources, const struct family *family,
		    struct buf *out)
{
	for (unsigned i = 0; i < PROBLEM_CODES; i++) {
		const struct label label = {"code", problem_rows[i].code};
		uint64_t count = traffic_problems(sources->app->traffic, i);

		exposition_sample(out, family->name, "", &label, 1,
				  (struct amount){(int64_t)count, 0});
	}
}

void write_database_errors(const struct metrics_sources *sources, const struct family *family,
			   struct buf *out)
{
	static const struct {
		enum err err;
		const char *name;
	} rows[] = {
		{ERR_BUSY, "busy"},
		{ERR_TIMEOUT, "timeout"},
		{ERR_UNREACHABLE, "unreachable"},
		{ERR_COMMIT_UNKNOWN, "commit_unknown"},
		{ERR_FULL, "disk_full"},
		{ERR_IO, "io"},
		{ERR_UNKNOWN_STATE, "unknown_state"},
		{ERR_CORRUPT, "corrupt"},
		{ERR_CONSTRAINT, "constraint"},
		{ERR_NOMEM, "memory"},
		{ERR_INTERNAL, "internal"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct label label = {"error", rows[i].name};
		uint64_t count = store_errors(sources->app->store, rows[i].err);

		exposition_sample(out, family->name, "", &label, 1,
				  (struct amount){(int64_t)count, 0});
	}
}
