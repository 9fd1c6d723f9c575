/* SPDX-License-Identifier: MIT */
/* What "docket status" shows, from the counters of all parts. docs/operate.md lists the names;
 * scripts rely on them. Nothing here waits for the database. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/record_cache.h"
#include "delivery/delivery.h"
#include "load/load.h"
#include "place/place.h"
#include "serve_private.h"

/* The bytes of memory that belong to this process alone, as the kernel counts them; 0 if it does
 * not tell. */
static json_int_t rss_anon_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long long kib = 0;

	while (file && !kib && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %lld kB", &kib) != 1)
			kib = 0;
	if (file)
		fclose(file);
	return kib * 1024;
}

static json_t *process_json(const struct status_sources *sources)
{
	bool folder = sources->settings->text[SETTING_DATABASE] == NULL;

	return json_pack("{ss si sI ss si}", "version", DOCKET_VERSION, "pid", (int)getpid(),
			 "uptime_s", (json_int_t)(monotonic_ms() - sources->began_ms) / 1000,
			 "database", folder ? "sqlite" : "postgresql", "schema", store_schema());
}

static json_t *connections_json(const struct http_load *load)
{
	return json_pack("{sI sI sI sI sI}", "open", (json_int_t)load->connections, "limit",
			 (json_int_t)load->connections_most, "busy", (json_int_t)load->working,
			 "in_handshake", (json_int_t)load->shaking_hands, "idle",
			 (json_int_t)(load->connections - load->working - load->shaking_hands));
}

static json_t *requests_json(const struct status_sources *sources, const struct http_load *load)
{
	return json_pack("{sI sI sI sI sI sI sI sI}", "in_progress",
			 (json_int_t)http_under_way(sources->server), "answered_2xx",
			 (json_int_t)load->answered[2], "answered_3xx",
			 (json_int_t)load->answered[3], "answered_4xx",
			 (json_int_t)load->answered[4], "answered_5xx",
			 (json_int_t)load->answered[5], "not_answered",
			 (json_int_t)load->not_answered, "malformed", (json_int_t)load->refused,
			 "refused_guesses", (json_int_t)guesses_limited(sources->app->guesses));
}

/* The buckets that have counted something. The last one of all has no upper bound. */
static json_t *histogram_json(const struct histogram *histogram)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		bool bounded = i + 1 < HISTOGRAM_BUCKETS;

		if (histogram->counts[i])
			json_array_append_new(buckets,
					      json_pack("{so sI}", "up_to",
							bounded ? json_integer((json_int_t)1 << i)
								: json_null(),
							"count", (json_int_t)histogram->counts[i]));
	}
	return buckets;
}

static json_int_t mean(int64_t sum, uint64_t count)
{
	return count ? sum / (int64_t)count : 0;
}

static json_t *jobs_json(const struct store_load *load)
{
	return json_pack(
		"{sI sI sI sI sI sI sI sI sI sI sI sI sI sI so so so}", "waiting",
		(json_int_t)load->waiting, "waiting_weight", (json_int_t)load->waiting_weight,
		"accounts_waiting", (json_int_t)load->accounts, "jobs", (json_int_t)load->jobs,
		"batches", (json_int_t)load->runs, "repeated", (json_int_t)load->repeated, "late",
		(json_int_t)load->late, "refused", (json_int_t)load->refused, "mean_batch_us",
		mean(load->run_us, load->runs), "longest_batch_us", (json_int_t)load->run_most_us,
		"total_batch_us", (json_int_t)load->run_us, "mean_wait_ms",
		mean(load->waited_ms, load->jobs), "longest_wait_ms",
		(json_int_t)load->waited_most_ms, "total_wait_ms", (json_int_t)load->waited_ms,
		"batches_by_jobs", histogram_json(&load->run_jobs), "batches_by_us",
		histogram_json(&load->runs_us), "waits_by_ms", histogram_json(&load->waits_ms));
}

static json_t *reads_json(const struct store_load *load)
{
	json_t *reads = jobs_json(load);

	json_object_set_new(reads, "at_once", json_integer((json_int_t)load->at_once));
	return reads;
}

static json_t *memory_json(const struct load_counters *load)
{
	return json_pack("{sI sI sI sI sI sI sI sI sI}", "rss_anon_bytes", rss_anon_bytes(),
			 "limit_bytes", (json_int_t)load->limit, "held_bytes",
			 (json_int_t)load->held, "most_held_bytes", (json_int_t)load->held_most,
			 "requests", (json_int_t)load->charges, "waiting",
			 (json_int_t)load->waiting, "waited", (json_int_t)load->waited,
			 "refused_limit", (json_int_t)load->refused_full, "refused_share",
			 (json_int_t)load->refused_share);
}

static json_t *alerts_json(const struct delivery_counters *alerts)
{
	return json_pack("{sI sI sI sI sI sI sI sI sI sI sb}", "waiting",
			 (json_int_t)alerts->queued, "sending", (json_int_t)alerts->sending,
			 "accepted", (json_int_t)alerts->accepted, "try_again",
			 (json_int_t)alerts->try_again, "uncertain", (json_int_t)alerts->uncertain,
			 "refused", (json_int_t)alerts->refused, "given_up",
			 (json_int_t)alerts->given_up, "skipped", (json_int_t)alerts->skipped,
			 "given_back", (json_int_t)alerts->given_back, "pauses",
			 (json_int_t)alerts->pauses, "paused", alerts->paused);
}

static json_t *cache_json(const struct record_cache_load *cache)
{
	return json_pack("{sI sI sI sI sI}", "limit_bytes", (json_int_t)cache->limit, "used_bytes",
			 (json_int_t)cache->bytes, "records", (json_int_t)cache->records, "hits",
			 (json_int_t)cache->hits, "misses", (json_int_t)cache->misses);
}

json_t *status_json(void *context)
{
	const struct status_sources *sources = context;
	struct store_load reads, writes;
	struct load_counters memory;
	struct record_cache_load cache;
	struct delivery_counters alerts;
	struct http_load http;
	json_t *status;

	http_count(sources->server, &http);
	store_loads(sources->app->store, &reads, &writes);
	budget_count(sources->app->budget, &memory);
	delivery_count(sources->delivery, &alerts);
	store_count_cached(sources->app->store, &cache);
	status = json_pack("{so so so so so so so so}", "process", process_json(sources),
			   "connections", connections_json(&http), "requests",
			   requests_json(sources, &http), "reads", reads_json(&reads), "writes",
			   jobs_json(&writes), "alerts", alerts_json(&alerts), "memory",
			   memory_json(&memory), "cache", cache_json(&cache));
	if (status && sources->replica)
		json_object_set_new(status, "replica", replica_json(sources->replica));
	if (status && sources->backups)
		json_object_set_new(status, "backup", backups_json(sources->backups));
	return status;
}
