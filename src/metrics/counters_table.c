/* SPDX-License-Identifier: MIT */
/* The table of counters, in the order in which docket status shows them, and the table of metrics.
 * docs/operate.md describes the names in docket status; scripts rely on them. It has the metrics as
 * well: tools/metrics-table.py writes them there. */
#include "counters.h"

#define AT(member) offsetof(struct counters, member)
#define BYTES_OF(member) sizeof(((struct counters *)NULL)->member)

/* Counters of struct counters, and of a struct queue_counters in it. */
#define NUMBER(member) .offset = AT(member), .size = BYTES_OF(member)
#define FLAG(member) .kind = COUNTER_BOOL, NUMBER(member)
#define TEXT(member) .kind = COUNTER_TEXT, NUMBER(member)
#define TIME(member) .kind = COUNTER_TIME, NUMBER(member)
#define OF_QUEUE(member)                                   \
	.offset = offsetof(struct queue_counters, member), \
	.size = sizeof(((struct queue_counters *)NULL)->member)
#define HISTOGRAM_OF_QUEUE(member, of) \
	.kind = COUNTER_HISTOGRAM, OF_QUEUE(member), .sum = offsetof(struct queue_counters, of)

#define MILLI 3
#define MICRO 6

/* clang-format off */
static const struct counter process[] = {
	{"version", TEXT(version)},
	{"pid", NUMBER(pid)},
	{"uptime_s", NUMBER(uptime_s)},
	{"database", TEXT(database)},
	{"schema", NUMBER(schema)},
	{"cpu_us", NUMBER(process.cpu_us)},
	{"slow_statements", NUMBER(slow_statements), .family = FAMILY_SLOW_STATEMENTS},
};

static const struct counter connections[] = {
	{"open", NUMBER(http.connections)},
	{"limit", NUMBER(http.connections_most), .family = FAMILY_CONNECTIONS_LIMIT},
	{"busy", NUMBER(http.working), .family = FAMILY_CONNECTIONS, .label = {"state", "busy"}},
	{"in_handshake", NUMBER(http.shaking_hands), .family = FAMILY_CONNECTIONS, .label = {"state", "in_handshake"}},
	{"idle", NUMBER(idle), .family = FAMILY_CONNECTIONS, .label = {"state", "idle"}},
};

static const struct counter requests[] = {
	{"in_progress", NUMBER(in_progress), .family = FAMILY_REQUESTS_IN_PROGRESS},
	{"answered_2xx", NUMBER(http.answered[2])},
	{"answered_3xx", NUMBER(http.answered[3])},
	{"answered_4xx", NUMBER(http.answered[4])},
	{"answered_5xx", NUMBER(http.answered[5])},
	{"not_answered", NUMBER(http.not_answered), .family = FAMILY_REQUESTS_UNANSWERED},
	{"malformed", NUMBER(http.refused), .family = FAMILY_REFUSALS, .label = {"reason", "malformed"}},
	{"refused_guesses", NUMBER(guesses_refused), .family = FAMILY_REFUSALS, .label = {"reason", "guesses"}},
	{"refused_rate", NUMBER(rates_refused), .family = FAMILY_REFUSALS, .label = {"reason", "rate"}},
};

static const struct counter queue[] = {
	{"waiting", OF_QUEUE(load.waiting), .family = FAMILY_QUEUE_JOBS},
	{"waiting_weight", OF_QUEUE(load.waiting_weight), .family = FAMILY_QUEUE_WEIGHT},
	{"accounts_waiting", OF_QUEUE(load.accounts), .family = FAMILY_QUEUE_ACCOUNTS},
	{"jobs", OF_QUEUE(load.jobs), .family = FAMILY_JOBS},
	{"batches", OF_QUEUE(load.runs), .family = FAMILY_BATCHES},
	{"repeated", OF_QUEUE(load.repeated), .family = FAMILY_JOBS_REPEATED},
	{"late", OF_QUEUE(load.late), .family = FAMILY_REFUSALS, .label = {"reason", "late"}},
	{"refused", OF_QUEUE(load.refused), .family = FAMILY_REFUSALS, .label = {"reason", "queue_full"}},
	{"mean_batch_us", OF_QUEUE(mean_run_us)},
	{"longest_batch_us", OF_QUEUE(load.run_most_us)},
	{"total_batch_us", OF_QUEUE(load.run_us)},
	{"mean_wait_ms", OF_QUEUE(mean_wait_ms)},
	{"longest_wait_ms", OF_QUEUE(load.waited_most_ms)},
	{"total_wait_ms", OF_QUEUE(load.waited_ms)},
	{"batches_by_jobs", HISTOGRAM_OF_QUEUE(load.run_jobs, load.jobs), .family = FAMILY_BATCH_JOBS},
	{"batches_by_us", HISTOGRAM_OF_QUEUE(load.runs_us, load.run_us), .family = FAMILY_BATCH_SECONDS,
	 .decimals = MICRO},
	{"waits_by_ms", HISTOGRAM_OF_QUEUE(load.waits_ms, load.waited_ms), .family = FAMILY_QUEUE_WAIT,
	 .decimals = MILLI},
};

static const struct counter only_reads[] = {
	{"at_once", OF_QUEUE(load.at_once), .family = FAMILY_READS_AT_ONCE},
};

static const struct counter alerts[] = {
	{"waiting", NUMBER(alerts.queued), .family = FAMILY_ALERTS, .label = {"state", "waiting"}},
	{"sending", NUMBER(alerts.sending), .family = FAMILY_ALERTS, .label = {"state", "sending"}},
	{"accepted", NUMBER(alerts.accepted), .family = FAMILY_ALERT_MESSAGES, .label = {"outcome", "accepted"}},
	{"try_again", NUMBER(alerts.try_again), .family = FAMILY_ALERT_MESSAGES, .label = {"outcome", "try_again"}},
	{"uncertain", NUMBER(alerts.uncertain), .family = FAMILY_ALERT_UNCERTAIN},
	{"refused", NUMBER(alerts.refused), .family = FAMILY_ALERT_MESSAGES, .label = {"outcome", "refused"}},
	{"given_up", NUMBER(alerts.given_up), .family = FAMILY_ALERTS_UNSENT, .label = {"reason", "given_up"}},
	{"skipped", NUMBER(alerts.skipped), .family = FAMILY_ALERTS_UNSENT, .label = {"reason", "skipped"}},
	{"given_back", NUMBER(alerts.given_back), .family = FAMILY_ALERTS_GIVEN_BACK},
	{"pauses", NUMBER(alerts.pauses), .family = FAMILY_MAIL_PAUSES},
	{"paused", FLAG(alerts.paused), .family = FAMILY_MAIL_PAUSED},
};

static const struct counter memory[] = {
	{"rss_anon_bytes", NUMBER(process.rss_anon_bytes)},
	{"limit_bytes", NUMBER(memory.limit), .family = FAMILY_MEMORY_LIMIT},
	{"held_bytes", NUMBER(memory.held), .family = FAMILY_MEMORY_HELD},
	{"most_held_bytes", NUMBER(memory.held_most)},
	{"requests", NUMBER(memory.charges), .family = FAMILY_MEMORY_REQUESTS, .label = {"state", "holding"}},
	{"waiting", NUMBER(memory.waiting), .family = FAMILY_MEMORY_REQUESTS, .label = {"state", "waiting"}},
	{"waited", NUMBER(memory.waited), .family = FAMILY_MEMORY_WAITS},
	{"refused_limit", NUMBER(memory.refused_full), .family = FAMILY_REFUSALS, .label = {"reason", "memory_limit"}},
	{"refused_share", NUMBER(memory.refused_share), .family = FAMILY_REFUSALS, .label = {"reason", "memory_share"}},
};

static const struct counter cache[] = {
	{"limit_bytes", NUMBER(cache.limit), .family = FAMILY_CACHE_LIMIT},
	{"used_bytes", NUMBER(cache.bytes), .family = FAMILY_CACHE_BYTES},
	{"records", NUMBER(cache.records), .family = FAMILY_CACHE_RECORDS},
	{"hits", NUMBER(cache.hits), .family = FAMILY_CACHE_LOOKUPS, .label = {"result", "hit"}},
	{"misses", NUMBER(cache.misses), .family = FAMILY_CACHE_LOOKUPS, .label = {"result", "miss"}},
};

/* Not in docket status, or shown there by other code. */
static const struct counter folder[] = {
	{NULL, NUMBER(checkpoints), .family = FAMILY_CHECKPOINTS},
	{NULL, NUMBER(checkpoint_us), .family = FAMILY_CHECKPOINT_SECONDS, .decimals = MICRO},
};

static const struct counter replica[] = {
	{NULL, FLAG(replica_follows), .family = FAMILY_REPLICA_FOLLOWING},
	{NULL, FLAG(replica.copying), .family = FAMILY_REPLICA_COPYING},
	{NULL, NUMBER(replica.lag_ms), .family = FAMILY_REPLICA_LAG, .decimals = MILLI},
	{NULL, NUMBER(replica.lag_commits), .family = FAMILY_REPLICA_LAG_COMMITS},
	{NULL, TIME(replica.synced_at), .family = FAMILY_REPLICA_SYNCED},
	{NULL, NUMBER(replica.commits), .family = FAMILY_REPLICA_COMMITS},
	{NULL, NUMBER(replica.written_bytes), .family = FAMILY_REPLICA_BYTES},
	{NULL, NUMBER(replica.failures), .family = FAMILY_REPLICA_FAILURES},
};

static const struct counter backups[] = {
	{NULL, TIME(backups.made_at), .family = FAMILY_BACKUP_SUCCESS},
	{NULL, NUMBER(backups.bytes), .family = FAMILY_BACKUP_BYTES},
	{NULL, FLAG(backups.fails), .family = FAMILY_BACKUP_FAILING},
	{NULL, NUMBER(backups.made), .family = FAMILY_BACKUPS},
	{NULL, NUMBER(backups.failures), .family = FAMILY_BACKUP_FAILURES},
};

static const struct counter kernel[] = {
	{NULL, NUMBER(process.cpu_us), .family = FAMILY_PROCESS_CPU, .decimals = MICRO},
	{NULL, NUMBER(process.open_fds), .family = FAMILY_PROCESS_FDS},
	{NULL, NUMBER(process.most_fds), .family = FAMILY_PROCESS_MAX_FDS},
	{NULL, NUMBER(process.resident_bytes), .family = FAMILY_PROCESS_RESIDENT},
	{NULL, NUMBER(process.virtual_bytes), .family = FAMILY_PROCESS_VIRTUAL},
	{NULL, NUMBER(process.started_ms), .family = FAMILY_PROCESS_START, .decimals = MILLI},
};

const struct section sections[] = {
	{"process", process, COUNT_OF(process)},
	{"connections", connections, COUNT_OF(connections)},
	{"requests", requests, COUNT_OF(requests)},
	{"reads", queue, COUNT_OF(queue), AT(reads), {"queue", "reads"}},
	{"reads", only_reads, COUNT_OF(only_reads), AT(reads)},
	{"writes", queue, COUNT_OF(queue), AT(writes), {"queue", "writes"}},
	{"alerts", alerts, COUNT_OF(alerts)},
	{"memory", memory, COUNT_OF(memory)},
	{"cache", cache, COUNT_OF(cache)},
	{NULL, folder, COUNT_OF(folder), .needs = AT(is_folder)},
	{NULL, replica, COUNT_OF(replica), .needs = AT(has_replica)},
	{NULL, backups, COUNT_OF(backups), .needs = AT(has_backups)},
	{NULL, kernel, COUNT_OF(kernel)},
};
const size_t section_count = COUNT_OF(sections);

const struct family_row families[FAMILIES] = {
	[FAMILY_BUILD_INFO] = {{"docket_build_info", "gauge",
		"1, with the version, the database and its schema as labels"}, write_build_info},
	[FAMILY_REQUESTS] = {{"docket_http_requests_total", "counter",
		"Requests whose answer was sent, by method and path of the route and by status"}, write_requests},
	[FAMILY_REQUEST_SECONDS] = {{"docket_http_request_duration_seconds", "histogram",
		"Time from the first line of a request until its answer was sent"}, write_request_seconds},
	[FAMILY_PROBLEMS] = {{"docket_http_problems_total", "counter",
		"Answers with a problem document, by its code"}, write_problems},
	[FAMILY_REQUESTS_IN_PROGRESS] = {{"docket_http_requests_in_progress", "gauge",
		"Requests that have begun and not ended"}},
	[FAMILY_REQUESTS_UNANSWERED] = {{"docket_http_requests_unanswered_total", "counter",
		"Requests whose connection ended before the answer was sent"}},
	[FAMILY_REFUSALS] = {{"docket_refusals_total", "counter",
		"Requests and jobs that were refused to protect the server, by reason"}},
	[FAMILY_CONNECTIONS] = {{"docket_connections", "gauge",
		"Open connections of the API, by state"}},
	[FAMILY_CONNECTIONS_LIMIT] = {{"docket_connections_limit", "gauge",
		"How many connections of the API may be open"}},
	[FAMILY_CERTIFICATE_EXPIRY] = {{"docket_certificate_expiry_timestamp_seconds", "gauge",
		"When a certificate expires, by the file that has it, only with --tls-cert"}, write_certificates},
	[FAMILY_QUEUE_JOBS] = {{"docket_queue_jobs", "gauge",
		"Jobs that wait in the queue of reads or writes"}},
	[FAMILY_QUEUE_WEIGHT] = {{"docket_queue_weight", "gauge",
		"The expected work of the jobs that wait; a small request has 1"}},
	[FAMILY_QUEUE_ACCOUNTS] = {{"docket_queue_accounts", "gauge",
		"Accounts that have jobs in the queue"}},
	[FAMILY_QUEUE_WAIT] = {{"docket_queue_wait_seconds", "histogram",
		"Time that jobs waited in the queue"}},
	[FAMILY_JOBS] = {{"docket_jobs_total", "counter",
		"Jobs of the queue that have run"}},
	[FAMILY_JOBS_REPEATED] = {{"docket_jobs_repeated_total", "counter",
		"Jobs that had to run again"}},
	[FAMILY_READS_AT_ONCE] = {{"docket_reads_at_once_total", "counter",
		"Reads that ran without the queue, as most reads on SQLite do"}},
	[FAMILY_BATCHES] = {{"docket_batches_total", "counter",
		"Batches of jobs; a batch of writes is one transaction with one commit"}},
	[FAMILY_BATCH_JOBS] = {{"docket_batch_jobs", "histogram",
		"Jobs in a batch"}},
	[FAMILY_BATCH_SECONDS] = {{"docket_batch_duration_seconds", "histogram",
		"Time that a batch took, with its commit"}},
	[FAMILY_DATABASE_ERRORS] = {{"docket_database_errors_total", "counter",
		"Reads and writes that ended with an error of the database, by error"}, write_database_errors},
	[FAMILY_SLOW_STATEMENTS] = {{"docket_slow_statements_total", "counter",
		"Statements of the database that took as long as --slow-statement or longer"}},
	[FAMILY_CHECKPOINTS] = {{"docket_checkpoints_total", "counter",
		"How often the write-ahead log was copied into the database, only with --data"}},
	[FAMILY_CHECKPOINT_SECONDS] = {{"docket_checkpoint_seconds_total", "counter",
		"Time that this took, only with --data"}},
	[FAMILY_MEMORY_LIMIT] = {{"docket_memory_limit_bytes", "gauge",
		"What requests in progress may hold: --memory-limit"}},
	[FAMILY_MEMORY_HELD] = {{"docket_memory_held_bytes", "gauge",
		"What requests in progress hold of it"}},
	[FAMILY_MEMORY_REQUESTS] = {{"docket_memory_requests", "gauge",
		"Requests that hold some of it, and requests that wait for some"}},
	[FAMILY_MEMORY_WAITS] = {{"docket_memory_waits_total", "counter",
		"Requests that had to wait for memory"}},
	[FAMILY_CACHE_LIMIT] = {{"docket_record_cache_limit_bytes", "gauge",
		"What the cache of records may take: --record-cache"}},
	[FAMILY_CACHE_BYTES] = {{"docket_record_cache_bytes", "gauge",
		"What the cache of records takes"}},
	[FAMILY_CACHE_RECORDS] = {{"docket_record_cache_records", "gauge",
		"Records in the cache"}},
	[FAMILY_CACHE_LOOKUPS] = {{"docket_record_cache_lookups_total", "counter",
		"Records that answers looked for in the cache, by result"}},
	[FAMILY_ALERTS] = {{"docket_alerts", "gauge",
		"Alerts that are due, by state"}},
	[FAMILY_ALERT_MESSAGES] = {{"docket_alert_messages_total", "counter",
		"Messages, by what the mail server did with them"}},
	[FAMILY_ALERT_UNCERTAIN] = {{"docket_alert_messages_uncertain_total", "counter",
		"Messages that are tried again and may have been sent"}},
	[FAMILY_ALERTS_UNSENT] = {{"docket_alerts_unsent_total", "counter",
		"Alerts that ended without a message, by reason"}},
	[FAMILY_ALERTS_GIVEN_BACK] = {{"docket_alerts_given_back_total", "counter",
		"Alerts that were put off"}},
	[FAMILY_MAIL_PAUSED] = {{"docket_mail_paused", "gauge",
		"1 while the mail server is left alone because it takes no mail"}},
	[FAMILY_MAIL_PAUSES] = {{"docket_mail_pauses_total", "counter",
		"How often the mail server took no mail"}},
	[FAMILY_REPLICA_FOLLOWING] = {{"docket_replica_following", "gauge",
		"1 while every commit reaches the replica, only with --replicate-to"}},
	[FAMILY_REPLICA_COPYING] = {{"docket_replica_copying", "gauge",
		"1 while a full copy is under way, only with --replicate-to"}},
	[FAMILY_REPLICA_LAG] = {{"docket_replica_lag_seconds", "gauge",
		"Age of the oldest commit that is not in the replica, only with --replicate-to"}},
	[FAMILY_REPLICA_LAG_COMMITS] = {{"docket_replica_lag_commits", "gauge",
		"Commits that are not in the replica, only with --replicate-to"}},
	[FAMILY_REPLICA_SYNCED] = {{"docket_replica_synced_timestamp_seconds", "gauge",
		"When the replica was last on stable storage, or 0, only with --replicate-to"}},
	[FAMILY_REPLICA_COMMITS] = {{"docket_replica_commits_total", "counter",
		"Commits that were written to the replica, only with --replicate-to"}},
	[FAMILY_REPLICA_BYTES] = {{"docket_replica_written_bytes_total", "counter",
		"Bytes of them, only with --replicate-to"}},
	[FAMILY_REPLICA_FAILURES] = {{"docket_replica_failures_total", "counter",
		"Failures to write the replica, only with --replicate-to"}},
	[FAMILY_BACKUP_SUCCESS] = {{"docket_backup_last_success_timestamp_seconds", "gauge",
		"When the newest daily backup was made, or 0, only with --backup-to"}},
	[FAMILY_BACKUP_BYTES] = {{"docket_backup_size_bytes", "gauge",
		"Size of the newest backup, or 0, only with --backup-to"}},
	[FAMILY_BACKUP_FAILING] = {{"docket_backup_failing", "gauge",
		"1 if the last daily backup failed, only with --backup-to"}},
	[FAMILY_BACKUPS] = {{"docket_backups_total", "counter",
		"Daily backups that were made, only with --backup-to"}},
	[FAMILY_BACKUP_FAILURES] = {{"docket_backup_failures_total", "counter",
		"Daily backups that failed, only with --backup-to"}},
	[FAMILY_PROCESS_CPU] = {{"process_cpu_seconds_total", "counter",
		"Processor time of the process, in user and kernel mode"}},
	[FAMILY_PROCESS_FDS] = {{"process_open_fds", "gauge",
		"Open file descriptors"}},
	[FAMILY_PROCESS_MAX_FDS] = {{"process_max_fds", "gauge",
		"How many file descriptors may be open"}},
	[FAMILY_PROCESS_RESIDENT] = {{"process_resident_memory_bytes", "gauge",
		"Memory of the process that is in RAM"}},
	[FAMILY_PROCESS_VIRTUAL] = {{"process_virtual_memory_bytes", "gauge",
		"Address space of the process"}},
	[FAMILY_PROCESS_START] = {{"process_start_time_seconds", "gauge",
		"When the process began to serve, in seconds since 1970"}},
};
/* clang-format on */
