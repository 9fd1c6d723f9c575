/* SPDX-License-Identifier: MIT */
/* Counts requests, on the connections' threads. To count a request takes three or four atomic
 * additions, to lines that this processor has in its cache. */
#include "pipeline/traffic.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline_private.h"

#define SHARDS_MAX 64
#define LINE_BYTES 64 /* of the processor's cache */

const int64_t traffic_bounds_us[TRAFFIC_BUCKETS] = {50,       100,    250,    500,     1000,
						    2500,     5000,   10000,  25000,   50000,
						    100000,   250000, 500000, 1000000, 2500000,
						    10000000, 0};

struct row {
	atomic_ulong statuses[HTTP_STATUSES], buckets[TRAFFIC_BUCKETS], us;
};

/* The counters of one processor; some processors may share one. */
struct shard {
	_Alignas(LINE_BYTES) atomic_ulong problems[PROBLEM_CODES];
	struct row rows[];
};

struct traffic {
	const struct route_table *routes;
	size_t shard_bytes;
	unsigned shard_count;
	char *shards;
};

static struct shard *shard_at(const struct traffic *traffic, unsigned index)
{
	return (struct shard *)(void *)(traffic->shards + index * traffic->shard_bytes);
}

struct traffic *traffic_new(const struct route_table *routes)
{
	struct traffic *traffic = calloc(1, sizeof(*traffic));
	size_t bytes = sizeof(struct shard) + (routes->count + 1) * sizeof(struct row);
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	if (!traffic)
		return NULL;
	traffic->routes = routes;
	traffic->shard_bytes = (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
	traffic->shard_count = processors < 1            ? 1
			       : processors > SHARDS_MAX ? SHARDS_MAX
							 : (unsigned)processors;
	bytes = traffic->shard_bytes * traffic->shard_count;
	traffic->shards = aligned_alloc(LINE_BYTES, bytes);
	if (!traffic->shards) {
		free(traffic);
		return NULL;
	}
	memset(traffic->shards, 0, bytes);
	return traffic;
}

void traffic_free(struct traffic *traffic)
{
	if (traffic)
		free(traffic->shards);
	free(traffic);
}

static void count_up(atomic_ulong *counter, unsigned long more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static size_t bucket_of_us(int64_t us)
{
	size_t bucket = 0;

	while (bucket + 1 < TRAFFIC_BUCKETS && us > traffic_bounds_us[bucket])
		bucket++;
	return bucket;
}

void traffic_count(struct traffic *traffic, const struct http_request *http,
		   const struct call *call, int64_t us)
{
	size_t status = http_status_index(http->response.status);
	int processor = sched_getcpu();
	const struct route *route = call ? call->match.route : NULL;
	struct shard *shard;
	struct row *row;

	if (!traffic || http->ended != HTTP_SENT || status == HTTP_STATUSES)
		return;
	shard = shard_at(traffic, processor < 0 ? 0 : (unsigned)processor % traffic->shard_count);
	row = &shard->rows[route ? (size_t)(route - traffic->routes->rows)
				 : traffic->routes->count];
	count_up(&row->buckets[bucket_of_us(us)], 1);
	count_up(&row->us, us > 0 ? (unsigned long)us : 0);
	if (call && call->problem && call->problem->status == http->response.status)
		count_up(&shard->problems[call->problem - problem_rows], 1);
	/* Who sees the request among the statuses sees it in the other counters too. */
	atomic_fetch_add_explicit(&row->statuses[status], 1, memory_order_release);
}

void traffic_read(const struct traffic *traffic, size_t index, struct route_traffic *traffic_out)
{
	*traffic_out = (struct route_traffic){0};
	for (unsigned i = 0; i < traffic->shard_count; i++) {
		const struct row *row = &shard_at(traffic, i)->rows[index];

		for (size_t j = 0; j < HTTP_STATUSES; j++)
			traffic_out->statuses[j] += atomic_load(&row->statuses[j]);
		for (size_t j = 0; j < TRAFFIC_BUCKETS; j++)
			traffic_out->buckets[j] += atomic_load(&row->buckets[j]);
		traffic_out->us += atomic_load(&row->us);
	}
}

uint64_t traffic_problems(const struct traffic *traffic, unsigned code)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < traffic->shard_count; i++)
		sum += atomic_load(&shard_at(traffic, i)->problems[code]);
	return sum;
}
