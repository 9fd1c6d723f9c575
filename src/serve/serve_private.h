/* SPDX-License-Identifier: MIT */
/* Checks the settings of docket serve, uses those that are URLs, and tells what the process has
 * done. */
#ifndef SERVE_SERVE_PRIVATE_H
#define SERVE_SERVE_PRIVATE_H

#include <stdatomic.h>

#include "cli/cli.h"
#include "confine/confine.h"
#include "mail/mail.h"
#include "metrics/metrics.h"
#include "pipeline/app.h"

struct backups;
struct delivery;
struct http_server;
struct json_t; /* of jansson */
struct listen_addresses;
struct replica;
struct store;
struct token_notices;

/* The parts of the process, and what docket status shows. */
struct status_sources {
	const struct settings *settings;
	struct metrics_sources counted;
	struct confine_state confined;
	struct token_notices *token_notices;
	bool backup_hangs; /* at the end: the thread of backups still uses the store */
};

/* Confines the process to the files that the settings name, unless --no-confinement is given. Call
 * it before any thread starts, and with --ephemeral after the folder is made. An error is
 * logged. */
enum err serve_confine(const struct settings *settings, struct confine_state *state_out);

/* The section of docket status. */
struct json_t *confine_json(const struct confine_state *state);

/* Makes what the API needs before docket accepts connections: `app` has its routes and settings,
 * and gets the rest. What is made is in `arena`, or released by app_release(). An error is logged.
 */
enum err app_start(const struct settings *settings, struct store *store, struct arena *arena,
		   struct app *app, struct delivery **delivery_out);
void app_release(struct app *app);

/* Opens the sockets of --metrics, if `addresses` is not NULL, and starts the listener. An error is
 * logged. The sockets are opened before the API's: a port that is taken ends docket before it has
 * accepted a client. */
enum err serve_metrics_open(struct listen_addresses *addresses);
enum err serve_metrics_start(const struct metrics_sources *sources,
			     struct listen_addresses *addresses, struct metrics **metrics_out);
/* Logs where it listens. NULL is accepted. */
void serve_metrics_log(const struct metrics *metrics);

/* For struct control_config; `context` is a struct status_sources. */
struct json_t *status_json(void *context);

/* Where to listen. `metrics` is NULL without --metrics. */
struct serve_addresses {
	struct listen_addresses *api, *metrics;
};

/* Checks all settings, also --cors-origins, --base-url and those of ephemeral.h. False: it has
 * printed what is wrong. The caller frees both addresses with listen_free(), in either case. */
bool serve_check(const struct settings *settings, struct serve_addresses *addresses_out);

/* Checks the settings of mail. False: it has printed what is wrong. */
bool alerts_check(const struct settings *settings);

/* Starts to send alerts. The settings, and a password in `arena`, must outlive the delivery. An
 * error is logged. */
enum err alerts_start(const struct settings *settings, struct store *store, struct arena *arena,
		      struct delivery **delivery_out);

/* Checks the settings of the replica. False: it has printed what is wrong. */
bool replica_check(const struct settings *settings);

/* Logs a warning if `dir` is on the disk of the data folder, because a disk that fails takes both.
 * `what` is in `dir`: "replica". */
void serve_disk_check(const struct settings *settings, const char *what, const char *dir);

/* Starts the replica if there is a setting for it. An error is logged. */
enum err serve_replica_start(const struct settings *settings, struct store *store,
			     struct replica **replica_out);

/* For before_upgrade of struct store_config; `context` are the settings. Gives the replica the
 * state before the upgrade. An error is logged: the upgrade itself keeps the old database. */
void serve_replica_upgrade(void *context, struct store *store, int64_t schema, const char *mark);

/* The section of docket status. */
struct json_t *replica_json(struct replica *replica);

/* Checks the settings of the daily backup, and its folder. False: it has printed what is wrong. */
bool backup_check(const struct settings *settings);

/* Starts the thread that makes a backup each day, if there are settings for it. Call it after
 * alerts_start(). An error is logged. */
enum err backups_start(const struct settings *settings, struct store *store,
		       struct backups **backups_out);

/* Begins to end, and returns at once: a backup in progress is broken off. NULL is accepted. */
void backups_drain(struct backups *backups);

/* Ends the thread, before mail ends. False: it waits for a disk that does not answer, so the store
 * must not be closed. NULL is accepted. */
bool backups_stop(struct backups *backups);

/* Whether the last backup failed. NULL is accepted. */
const atomic_bool *backups_fail(const struct backups *backups);

/* For struct metrics_sources. */
void backups_count(struct backups *backups, struct backup_counters *counters_out);

/* The section of docket status. */
struct json_t *backups_json(struct backups *backups);

/* Whom a message goes to. `done`: it need not be sent to them again. */
struct recipient {
	char address[MAIL_ADDRESS_BYTES];
	bool done;
};

/* A store_record_fn that appends a recipient to a buf, by the address. */
enum err recipient_add(void *recipients, const void *address);

/* The messages about backups to the staff with full access of every account. They are sent by the
 * one thread that calls these functions. */
struct notices;

/* NULL without an error: there is no mail server. */
enum err notices_new(const struct settings *settings, struct store *store,
		     struct notices **notices_out);

/* A backup failed: a message, but at most once a day. `text` is copied. NULL is accepted. */
void notices_fail(struct notices *notices, int64_t now, const char *text);

/* A backup was made: a message if somebody got one about a failure before. */
void notices_recover(struct notices *notices, const char *text);

/* Sends what waits. It is called once a second. What the mail server does not take, it tries again
 * for a day. */
void notices_send(struct notices *notices);

/* Makes notices_send() end soon. Another thread may call it. */
void notices_stop(struct notices *notices);
void notices_free(struct notices *notices);

/* Checks the settings that are URLs: --cors-origins and --base-url. False: it has printed what is
 * wrong. */
bool urls_check(const struct settings *settings);

/* --base-url without the slash at its end; "": there is none with which links can begin. */
struct slice urls_base(const struct settings *settings);

/* Puts these settings into `app`; they live as long as `settings`. */
void urls_set(const struct settings *settings, struct app *app);

/* Logs a warning for each certificate that is not valid now, or expires within 14 days. */
void certificates_log(const struct http_server *server);

/* The section of docket status; it has no elements without TLS. */
struct json_t *certificates_json(const struct http_server *server);

/* Warns if the clock may be wrong. No change gets a time before that of the last change. So if that
 * time is in the future, changes get it until the clock has passed it. An error is logged. */
enum err clock_check(struct store *store);

/* Logs a warning for each account that has a time zone, or staff with one, that tzdata does not
 * have. */
enum err zones_check(struct store *store);

#endif
