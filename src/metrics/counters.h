/* SPDX-License-Identifier: MIT */
/* The counters of one moment, and the table that names them. */
#ifndef METRICS_COUNTERS_H
#define METRICS_COUNTERS_H

#include "base/array.h"
#include "base/histogram.h"
#include "cache/record_cache.h"
#include "delivery/delivery.h"
#include "exposition.h"
#include "http/http.h"
#include "load/load.h"
#include "metrics/metrics.h"
#include "process.h"
#include "replica/replica.h"
#include "store/store.h"

struct queue_counters {
	struct store_load load;
	int64_t mean_run_us, mean_wait_ms;
};

/* `always` must be the first member; see `needs` of struct section. */
struct counters {
	bool always;      /* true */
	bool has_replica; /* `replica` is set */
	bool has_backups; /* `backups` is set */
	bool is_folder;
	const char *version, *database;
	int64_t pid, uptime_s, schema;
	struct http_load http;
	size_t idle; /* connections */
	int64_t in_progress;
	uint64_t guesses_refused, rates_refused;
	struct queue_counters reads, writes;
	struct load_counters memory;
	struct record_cache_load cache;
	struct delivery_counters alerts;
	struct replica_counters replica;
	struct backup_counters backups;
	bool replica_follows;
	struct process_counters process;
	uint64_t checkpoints, slow_statements;
	int64_t checkpoint_us;
};

void counters_take(const struct metrics_sources *sources, struct counters *counters_out);

/* The metrics, in the order in which they are written. */
enum family_name {
	FAMILY_NONE, /* the counter is no metric */
	FAMILY_BUILD_INFO,
	FAMILY_REQUESTS,
	FAMILY_REQUEST_SECONDS,
	FAMILY_PROBLEMS,
	FAMILY_REQUESTS_IN_PROGRESS,
	FAMILY_REQUESTS_UNANSWERED,
	FAMILY_REFUSALS,
	FAMILY_CONNECTIONS,
	FAMILY_CONNECTIONS_LIMIT,
	FAMILY_CERTIFICATE_EXPIRY,
	FAMILY_QUEUE_JOBS,
	FAMILY_QUEUE_WEIGHT,
	FAMILY_QUEUE_ACCOUNTS,
	FAMILY_QUEUE_WAIT,
	FAMILY_JOBS,
	FAMILY_JOBS_REPEATED,
	FAMILY_READS_AT_ONCE,
	FAMILY_BATCHES,
	FAMILY_BATCH_JOBS,
	FAMILY_BATCH_SECONDS,
	FAMILY_DATABASE_ERRORS,
	FAMILY_SLOW_STATEMENTS,
	FAMILY_CHECKPOINTS,
	FAMILY_CHECKPOINT_SECONDS,
	FAMILY_MEMORY_LIMIT,
	FAMILY_MEMORY_HELD,
	FAMILY_MEMORY_REQUESTS,
	FAMILY_MEMORY_WAITS,
	FAMILY_CACHE_LIMIT,
	FAMILY_CACHE_BYTES,
	FAMILY_CACHE_RECORDS,
	FAMILY_CACHE_LOOKUPS,
	FAMILY_ALERTS,
	FAMILY_ALERT_MESSAGES,
	FAMILY_ALERT_UNCERTAIN,
	FAMILY_ALERTS_UNSENT,
	FAMILY_ALERTS_GIVEN_BACK,
	FAMILY_MAIL_PAUSED,
	FAMILY_MAIL_PAUSES,
	FAMILY_REPLICA_FOLLOWING,
	FAMILY_REPLICA_COPYING,
	FAMILY_REPLICA_LAG,
	FAMILY_REPLICA_LAG_COMMITS,
	FAMILY_REPLICA_SYNCED,
	FAMILY_REPLICA_COMMITS,
	FAMILY_REPLICA_BYTES,
	FAMILY_REPLICA_FAILURES,
	FAMILY_BACKUP_SUCCESS,
	FAMILY_BACKUP_BYTES,
	FAMILY_BACKUP_FAILING,
	FAMILY_BACKUPS,
	FAMILY_BACKUP_FAILURES,
	FAMILY_PROCESS_CPU,
	FAMILY_PROCESS_FDS,
	FAMILY_PROCESS_MAX_FDS,
	FAMILY_PROCESS_RESIDENT,
	FAMILY_PROCESS_VIRTUAL,
	FAMILY_PROCESS_START,
	FAMILIES,
};

struct family_row {
	struct family family;
	/* Writes the samples, if they are not in the table of counters. */
	void (*write)(const struct metrics_sources *sources, const struct family *family,
		      struct buf *out);
};
extern const struct family_row families[FAMILIES];

enum counter_kind {
	COUNTER_NUMBER,
	COUNTER_BOOL,
	COUNTER_TEXT,      /* a const char *; no metric has it */
	COUNTER_TIME,      /* in seconds since 1970; TIME_NONE: 0 */
	COUNTER_HISTOGRAM, /* a struct histogram; the sum of its values is at `sum` */
};

struct counter {
	const char *name; /* in docket status; NULL: it is only a metric */
	enum counter_kind kind;
	/* Where it is in struct counters, after `base` of the section; its bytes. */
	size_t offset, size;
	enum family_name family;
	struct label label; /* of the sample; name NULL: none */
	unsigned decimals;  /* the metric is the number divided by ten to this power */
	size_t sum;
};

struct section {
	const char *name; /* in docket status; NULL: it is not shown there */
	const struct counter *counters;
	size_t count;
	size_t base;
	struct label label; /* of each sample */
	size_t needs;       /* where a bool in struct counters is: false: it is left out */
};
extern const struct section sections[];
extern const size_t section_count;

/* The value of a COUNTER_NUMBER, COUNTER_BOOL or COUNTER_TIME. */
int64_t counter_number(const struct counters *counters, const struct section *section,
		       const struct counter *counter);
const void *counter_at(const struct counters *counters, const struct section *section,
		       const struct counter *counter);
bool section_is_there(const struct counters *counters, const struct section *section);

/* requests.c: for docket status, the routes that have answered a request. NULL: out of memory. */
struct json_t *requests_by_route(const struct metrics_sources *sources);
/* The metrics that are by route, by problem or by error. */
void write_build_info(const struct metrics_sources *sources, const struct family *family,
		      struct buf *out);
void write_requests(const struct metrics_sources *sources, const struct family *family,
		    struct buf *out);
void write_request_seconds(const struct metrics_sources *sources, const struct family *family,
			   struct buf *out);
void write_problems(const struct metrics_sources *sources, const struct family *family,
		    struct buf *out);
void write_database_errors(const struct metrics_sources *sources, const struct family *family,
			   struct buf *out);

/* certificates.c */
void write_certificates(const struct metrics_sources *sources, const struct family *family,
			struct buf *out);

#endif
