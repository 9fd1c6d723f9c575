/* SPDX-License-Identifier: MIT */
/* docket serve: opens the store, serves until a signal, and shuts down in order. */
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/admin.h"
#include "api/api.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "delivery/delivery.h"
#include "ephemeral.h"
#include "json/read.h"
#include "load/load.h"
#include "notify.h"
#include "place/place.h"
#include "replica/replica.h"
#include "serve/serve.h"
#include "serve_private.h"
#include "sockets/sockets.h"
#include "supervise.h"
#include "token_notices.h"

#define DRAIN_MS 10000
#define DRAIN_LOOK_MS 10 /* how often the drain is checked */
#define ANSWER_MS 1000   /* to send the last answers */

struct serving {
	atomic_bool broken; /* the storage failed, and the process must be restarted */
};

/* Ends the process as SIGTERM does, but with a failure. Called on the writer's thread. */
static void serving_end_broken(void *context)
{
	struct serving *serving = context;

	log_line("the storage failed and its state is unknown: docket exits and must be restarted");
	atomic_store(&serving->broken, true);
	kill(getpid(), SIGTERM);
}

/* The URL (RFC 3986) without its user information and its query: either may contain a password. In
 * libpq's URLs the user information ends at the last @ before the path. */
static void url_without_secrets(const char *url, struct slice *scheme_out, struct slice *rest_out)
{
	const char *rest = strstr(url, "://") + strlen("://");
	size_t authority = strcspn(rest, "/");
	const char *at = memrchr(rest, '@', authority);

	*scheme_out = (struct slice){url, (size_t)(rest - url)};
	if (at)
		rest = at + 1;
	*rest_out = (struct slice){rest, strcspn(rest, "?#")};
}

/* Logs which version serves which folder or database. A password in the URL is left out. */
static void log_start(const struct settings *settings)
{
	const char *url = settings->text[SETTING_DATABASE];
	struct slice scheme, rest;

	if (!url) {
		log_line("version %s serves the folder %s, schema %d", DOCKET_VERSION,
			 settings->text[SETTING_DATA], store_schema());
		return;
	}
	url_without_secrets(url, &scheme, &rest);
	log_line("version %s serves the database %.*s%.*s, schema %d", DOCKET_VERSION,
		 (int)scheme.len, scheme.ptr, (int)rest.len, rest.ptr, store_schema());
	if (!settings->text[SETTING_SMTP_URL])
		log_line("there is no --smtp-url: alerts wait for a process of the same database "
			 "that has one");
}

static void log_upgrade(void *context, const struct store_upgrade *upgrade)
{
	(void)context;
	log_line("migrated the database from schema %d to %d; the copy from before is %s",
		 upgrade->from, upgrade->to, upgrade->copy);
}

/* Every connection needs a descriptor. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* One for each processor that this process may run on. */
static unsigned count_threads(void)
{
	cpu_set_t processors;

	if (sched_getaffinity(0, sizeof(processors), &processors))
		return 1;
	return (unsigned)CPU_COUNT(&processors);
}

/* malloc_trim() keeps a page of an arena if a part of it is in use. For PostgreSQL docket has many
 * threads that mostly wait. With an arena for each, docket kept ever more such pages. */
static void limit_arenas(const struct settings *settings)
{
	const unsigned processors = count_threads();

	if (settings->text[SETTING_DATABASE])
		mallopt(M_ARENA_MAX, processors < 2 ? 2 : (int)processors);
}

/* Drains until every connection is closed, but at most for DRAIN_MS or until a second signal. */
static void server_drain(struct http_server *server, const sigset_t *signals)
{
	const struct timespec pause = {.tv_nsec = DRAIN_LOOK_MS * 1000000};
	int64_t until = monotonic_ms() + DRAIN_MS;

	http_drain(server);
	while (!http_is_drained(server)) {
		int caught = sigtimedwait(signals, NULL, &pause);

		if (caught == SIGTERM || caught == SIGINT) {
			log_line("a second signal: requests that are still under way are cut off");
			return;
		}
		if (monotonic_ms() < until)
			continue;
		if (http_under_way(server))
			log_line("requests are still under way after %d s and are cut off",
				 DRAIN_MS / 1000);
		return;
	}
}

/* Waits until the last answers are sent. store_stop() has resumed all requests that waited for the
 * store. Some of these writes are stored, and their clients must get the answer. */
static void server_send_answers(const struct http_server *server)
{
	const struct timespec pause = {.tv_nsec = DRAIN_LOOK_MS * 1000000};
	int64_t until = monotonic_ms() + ANSWER_MS;

	while (http_under_way(server) && monotonic_ms() < until)
		nanosleep(&pause, NULL);
}

/* The order matters: no write is lost, no request stays suspended, and nothing is used after its
 * end. */
static void server_end(struct http_server *server, struct metrics *metrics,
		       const struct status_sources *parts, struct store *store,
		       const sigset_t *signals)
{
	backups_drain(parts->counted.backups);
	token_notices_drain(parts->token_notices);
	delivery_drain(parts->counted.delivery);
	server_drain(server, signals);
	metrics_stop(metrics);
	delivery_end(parts->counted.delivery);
	store_stop(store);
	budget_stop(parts->counted.app->budget);
	server_send_answers(server);
	http_stop(server);
}

/* Behind a proxy all clients have its address, so the limit for an address is off. */
static struct http_limits limits_for(const struct settings *settings)
{
	struct http_limits limits = http_default_limits;

	limits.idle_s = (unsigned)settings->number[SETTING_IDLE];
	if (settings->number[SETTING_BEHIND_PROXY])
		limits.per_address = 0;
	return limits;
}

/* Prints the new token of --ephemeral, then the lines "listening on …". A program that waits for
 * such a line finds the token printed already. */
static bool print_ready(const struct settings *settings, const struct ephemeral *ephemeral,
			const struct http_server *server, const struct metrics *metrics)
{
	const char *scheme = settings->text[SETTING_TLS_CERT] ? "https" : "http", *address;

	if (ephemeral->folder[0] && !settings->text[SETTING_TOKEN] &&
	    (printf("%s\n", ephemeral->token) < 0 || fflush(stdout))) {
		log_line("cannot write the API token to standard output");
		return false;
	}
	serve_metrics_log(metrics);
	for (size_t i = 0; (address = http_address(server, i)); i++)
		fprintf(stderr, "listening on %s://%s\n", scheme, address);
	return true;
}

/* Accepts connections until the end. */
static enum err http_serve(const struct http_config *http, struct store *store,
			   struct status_sources *sources, const struct ephemeral *ephemeral,
			   struct listen_addresses *metrics_addresses, const sigset_t *signals)
{
	const struct settings *settings = sources->settings;
	struct app *app = http->app_data;
	struct delivery *delivery = sources->counted.delivery;
	struct control *control = NULL;
	struct metrics *metrics = NULL;
	struct http_server *server;
	struct buf why = {0};
	enum err err = serve_metrics_open(metrics_addresses);

	if (!err) {
		err = http_start(http, &server, &why);
		if (err)
			log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	}
	if (err) {
		delivery_end(delivery);
		store_stop(store);
	} else {
		sources->counted.server = server;
		err = serve_metrics_start(&sources->counted, metrics_addresses, &metrics);
		if (!err)
			log_start(settings);
		if (!err)
			certificates_log(server);
		if (!err &&
		    control_start(&(struct control_config){settings, store, app->guesses,
							   status_json, sources},
				  &control) &&
		    print_ready(settings, ephemeral, server, metrics))
			serving_supervise(&(struct supervised){
				.server = server,
				.store = store,
				.tls = http->tls_chains != NULL,
				.statement_ms = settings->number[SETTING_TIMEOUT],
				.signals = signals,
			});
		else
			err = ERR_IO;
		control_stop(control);
		server_end(server, metrics, sources, store, signals);
	}
	buf_release(&why);
	return err;
}

static enum err serve_store(struct status_sources *sources, struct store *store,
			    const struct ephemeral *ephemeral,
			    const struct serve_addresses *addresses, const sigset_t *signals)
{
	const struct settings *settings = sources->settings;
	struct log_stream log;
	struct app app = {
		.routes = &api_routes,
		.base_domain = settings->text[SETTING_BASE_DOMAIN],
		.behind_proxy = settings->number[SETTING_BEHIND_PROXY],
		.log = settings->number[SETTING_QUIET] ? NULL : &log,
		.readiness = READINESS,
	};
	struct arena arena = {0};
	const struct http_config http = {
		.addresses = addresses->api,
		.threads = count_threads(),
		.app = &pipeline_app,
		.app_data = &app,
		.limits = limits_for(settings),
		.tls_chains = settings->text[SETTING_TLS_CERT],
		.tls_keys = settings->text[SETTING_TLS_KEY],
	};
	enum err err;

	sources->counted.app = &app;
	log_stream_init(&log, STDERR_FILENO);
	err = app_start(settings, store, &arena, &app, &sources->counted.delivery);
	if (!err)
		err = backups_start(settings, store, &sources->counted.backups);
	if (!err)
		err = token_notices_start(settings, store, &sources->token_notices);
	app.backup_fails = backups_fail(sources->counted.backups);
	if (!err) {
		err = http_serve(&http, store, sources, ephemeral, addresses->metrics, signals);
	} else { /* http_serve() ends the same */
		delivery_end(sources->counted.delivery);
		store_stop(store);
	}
	token_notices_stop(sources->token_notices);
	sources->backup_hangs = !backups_stop(sources->counted.backups);
	/* The thread that hangs may be sending mail. */
	if (!sources->backup_hangs)
		delivery_free(sources->counted.delivery);
	app_release(&app);
	arena_release(&arena);
	return err;
}

/* Divides the connections of a PostgreSQL database: half read, half write. */
static void config_share_connections(const struct settings *settings, struct store_config *config)
{
	unsigned connections = (unsigned)settings->number[SETTING_CONNECTIONS];

	if (!config->database)
		return;
	config->writers = connections / 2;
	config->readers = connections - config->writers;
}

static enum exit_status serve_place(struct settings *settings, const struct ephemeral *ephemeral,
				    const struct serve_addresses *addresses,
				    const struct confine_state *confined, const sigset_t *signals)
{
	struct serving serving = {false};
	struct store_config config = {
		.readers = count_threads(),
		.read_threads = count_threads(),
		.read_budget_ms = (int)settings->number[SETTING_TIMEOUT],
		.write_budget_ms = (int)settings->number[SETTING_TIMEOUT],
		.slow_statement_ms = (int)settings->number[SETTING_SLOW],
		.queue_limit = (size_t)settings->number[SETTING_QUEUE],
		.record_cache = (size_t)settings->number[SETTING_RECORD_CACHE] << 20,
		.on_upgrade = log_upgrade,
		.before_upgrade = serve_replica_upgrade,
		.upgrade_context = settings,
		.on_fatal = serving_end_broken,
		.fatal_context = &serving,
	};
	struct buf why = {0};
	struct status_sources parts = {
		.settings = settings,
		.counted = {.count_backups = backups_count,
			    .database = settings->text[SETTING_DATABASE] ? "postgresql" : "sqlite",
			    .began_ms = monotonic_ms(),
			    .began_at_ms = system_ms()},
		.confined = *confined,
	};
	struct store *store;
	enum err err;

	admin_locate(settings, &config);
	config_share_connections(settings, &config);
	notify("STATUS=opens the database; if its schema is older, this takes a while");
	err = store_open(&config, &store, &why);
	if (err) {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : "");
	} else {
		if (ephemeral->folder[0])
			err = ephemeral_fill(settings, store);
		if (!err)
			err = serve_replica_start(settings, store, &parts.counted.replica);
		if (!err)
			err = serve_store(&parts, store, ephemeral, addresses, signals);
		store_stop(store);
		if (replica_stop(parts.counted.replica) && !parts.backup_hangs)
			store_close(store);
	}
	buf_release(&why);
	return err || atomic_load(&serving.broken) ? EXIT_FAILED : EXIT_OK;
}

static enum exit_status serve_to_end(const struct settings *settings,
				     const struct serve_addresses *addresses)
{
	struct ephemeral ephemeral = {0};
	struct settings own = *settings;
	struct confine_state confined;
	enum exit_status status = EXIT_FAILED;
	sigset_t signals;

	raise_descriptor_limit();
	limit_arenas(settings);
	/* Block signals before the temporary folder is made, so that no signal leaves it behind. */
	signals_block(&signals);
	json_read_init();
	if (auth_init()) {
		log_line("cannot get random numbers from this machine");
		return EXIT_FAILED;
	}
	if (settings->number[SETTING_EPHEMERAL]) {
		if (!ephemeral_make(settings, &ephemeral))
			return EXIT_FAILED;
		own.text[SETTING_DATA] = ephemeral.folder;
		own.text[SETTING_DATABASE] = NULL;
	}
	if (!serve_confine(&own, &confined))
		status = serve_place(&own, &ephemeral, addresses, &confined, &signals);
	ephemeral_remove(&ephemeral);
	return status;
}

enum exit_status command_serve(const struct settings *settings)
{
	struct serve_addresses addresses = {0};
	enum exit_status status = EXIT_USAGE;

	if (serve_check(settings, &addresses))
		status = serve_to_end(settings, &addresses);
	listen_free(addresses.api);
	listen_free(addresses.metrics);
	return status;
}
