/* SPDX-License-Identifier: MIT */
/* Takes the counters of all parts, and writes them by the table: as JSON for docket status, and in
 * Prometheus' text format. */
#include "counters.h"

#include <jansson.h>
#include <unistd.h>

#include "auth/guesses.h"
#include "base/clock.h"
#include "base/timefmt.h"
#include "pipeline/app.h"
#include "place/place.h"

static void queue_take(const struct store_load *load, struct queue_counters *queue_out)
{
	queue_out->load = *load;
	queue_out->mean_run_us = load->runs ? load->run_us / (int64_t)load->runs : 0;
	queue_out->mean_wait_ms = load->jobs ? load->waited_ms / (int64_t)load->jobs : 0;
}

void counters_take(const struct metrics_sources *sources, struct counters *counters_out)
{
	const struct app *app = sources->app;
	struct store_load reads, writes;

	*counters_out = (struct counters){
		.always = true,
		.has_replica = sources->replica != NULL,
		.has_backups = sources->backups != NULL,
		.is_folder = strcmp(sources->database, "sqlite") == 0,
		.version = DOCKET_VERSION,
		.database = sources->database,
		.pid = getpid(),
		.uptime_s = (monotonic_ms() - sources->began_ms) / 1000,
		.schema = store_schema(),
		.in_progress = http_under_way(sources->server),
		.guesses_refused = guesses_limited(app->guesses),
		.rates_refused = rates_refused(app->rates),
	};
	http_count(sources->server, &counters_out->http);
	counters_out->idle = counters_out->http.connections - counters_out->http.working -
			     counters_out->http.shaking_hands;
	store_loads(app->store, &reads, &writes);
	queue_take(&reads, &counters_out->reads);
	queue_take(&writes, &counters_out->writes);
	counters_out->slow_statements = store_slow_statements(app->store);
	store_checkpoints(app->store, &counters_out->checkpoints, &counters_out->checkpoint_us);
	budget_count(app->budget, &counters_out->memory);
	store_count_cached(app->store, &counters_out->cache);
	delivery_count(sources->delivery, &counters_out->alerts);
	if (sources->replica)
		replica_count(sources->replica, &counters_out->replica);
	if (sources->backups)
		sources->count_backups(sources->backups, &counters_out->backups);
	counters_out->replica_follows = counters_out->replica.state == REPLICA_FOLLOWING;
	process_count(&counters_out->process);
	counters_out->process.started_ms = sources->began_at_ms;
}

bool section_is_there(const struct counters *counters, const struct section *section)
{
	return *((const bool *)counters + section->needs);
}

const void *counter_at(const struct counters *counters, const struct section *section,
		       const struct counter *counter)
{
	return (const char *)counters + section->base + counter->offset;
}

int64_t counter_number(const struct counters *counters, const struct section *section,
		       const struct counter *counter)
{
	const void *at = counter_at(counters, section, counter);

	if (counter->kind == COUNTER_TIME && *(const int64_t *)at == TIME_NONE)
		return 0;
	return counter->size == sizeof(bool)       ? *(const bool *)at
	       : counter->size == sizeof(uint32_t) ? *(const uint32_t *)at
						   : *(const int64_t *)at;
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

static json_t *counter_json(const struct counters *counters, const struct section *section,
			    const struct counter *counter)
{
	const void *at = counter_at(counters, section, counter);

	switch (counter->kind) {
	case COUNTER_BOOL:
		return json_boolean(counter_number(counters, section, counter));
	case COUNTER_TEXT:
		return json_string(*(const char *const *)at);
	case COUNTER_HISTOGRAM:
		return histogram_json(at);
	default:
		return json_integer(counter_number(counters, section, counter));
	}
}

json_t *metrics_status(const struct metrics_sources *sources)
{
	struct counters counters;
	json_t *status = json_object();
	int failed = !status;

	counters_take(sources, &counters);
	for (size_t i = 0; i < section_count && !failed; i++) {
		const struct section *section = &sections[i];
		json_t *object;

		if (!section->name || !section_is_there(&counters, section))
			continue;
		object = json_object_get(status, section->name);
		if (!object)
			failed = json_object_set_new(status, section->name, object = json_object());
		for (size_t j = 0; j < section->count && !failed; j++)
			if (section->counters[j].name)
				failed = json_object_set_new(object, section->counters[j].name,
							     counter_json(&counters, section,
									  &section->counters[j]));
	}
	if (!failed)
		failed = json_object_set_new(json_object_get(status, "requests"), "by_route",
					     requests_by_route(sources));
	if (!failed)
		return status;
	json_decref(status);
	return NULL;
}

static void counter_write(const struct counters *counters, const struct section *section,
			  const struct counter *counter, struct buf *out)
{
	const char *name = families[counter->family].family.name;
	const struct label labels[] = {section->label, counter->label};
	const struct histogram *histogram = counter_at(counters, section, counter);
	int64_t bounds[HISTOGRAM_BUCKETS];
	struct amount amount = {0, counter->decimals};

	if (counter->kind != COUNTER_HISTOGRAM) {
		amount.value = counter_number(counters, section, counter);
		exposition_sample(out, name, "", labels, COUNT_OF(labels), amount);
		return;
	}
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		bounds[i] = INT64_C(1) << i;
	amount.value = *(const int64_t *)(const void *)((const char *)counters + section->base +
							counter->sum);
	exposition_histogram(out, name, labels, COUNT_OF(labels), bounds, histogram->counts,
			     HISTOGRAM_BUCKETS, amount);
}

/* Writes the samples of a family that are in the table. */
static void family_write(const struct counters *counters, enum family_name family, struct buf *out)
{
	bool begun = false;

	for (size_t i = 0; i < section_count; i++)
		for (size_t j = 0; j < sections[i].count; j++) {
			const struct section *section = &sections[i];
			const struct counter *counter = &section->counters[j];

			if (counter->family != family || !section_is_there(counters, section))
				continue;
			if (!begun)
				exposition_family(out, &families[family].family);
			begun = true;
			counter_write(counters, section, counter, out);
		}
}

void metrics_write(const struct metrics_sources *sources, struct buf *out)
{
	struct counters counters;

	counters_take(sources, &counters);
	for (enum family_name i = FAMILY_NONE + 1; i < FAMILIES; i++)
		if (families[i].write) {
			exposition_family(out, &families[i].family);
			families[i].write(sources, &families[i].family, out);
		} else {
			family_write(&counters, i, out);
		}
}
