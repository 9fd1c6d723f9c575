/* SPDX-License-Identifier: MIT */
/* The command line: settings, by one table for options, environment and configuration file, the
 * choice of a command, help, and output. `--token-file FILE` is also DOCKET_TOKEN_FILE and the key
 * `token-file` of the file that --config names. An option overrides the environment, and that the
 * file.
 *
 * A program with one command:
 *
 *     static enum exit_status command_greet(const struct settings *settings)
 *     {
 *             const char *name = settings->text[SETTING_ACCOUNT];
 *
 *             if (!*name)
 *                     return settings_wrong(settings, SETTING_ACCOUNT, "is no name");
 *             fprintf(settings->out, "hello %s\n", name);
 *             return EXIT_OK;
 *     }
 *
 *     static const struct command rows[] = {{
 *             .name = "greet",
 *             .summary = "greet an account",
 *             .takes = SETTING_BIT(SETTING_ACCOUNT),
 *             .needs = SETTING_BIT(SETTING_ACCOUNT),
 *             .run = command_greet,
 *     }};
 *
 *     int main(int argc, char **argv)
 *     {
 *             const struct commands commands = {rows, COUNT_OF(rows)};
 *
 *             return (int)cli_main(&commands, argc, argv);
 *     }
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/err.h"

enum setting {
	SETTING_CONFIG,
	SETTING_DATA,
	SETTING_DATABASE,
	SETTING_NETWORK_FOLDER,
	SETTING_PARTITIONS,
	SETTING_ACCOUNT,
	SETTING_USERNAME,
	SETTING_EMAIL,
	SETTING_TOKEN_FILE,
	SETTING_FIRST_NAME,
	SETTING_LAST_NAME,
	SETTING_ACCESS,
	SETTING_EXPIRES,
	SETTING_READ_ONLY,
	SETTING_LENIENT,
	SETTING_COUNTRY,
	SETTING_REQUIRE_CASE,
	SETTING_EXPAND,
	SETTING_ALERT_HOUR,
	SETTING_TIME_ZONE,
	SETTING_YES,
	SETTING_JSON,
	SETTING_TASKS,
	SETTING_DRY_RUN,
	SETTING_FROM,
	SETTING_TO,
	SETTING_EPHEMERAL,
	SETTING_TOKEN,
	SETTING_LISTEN,
	SETTING_BASE_DOMAIN,
	SETTING_TLS_CERT,
	SETTING_TLS_KEY,
	SETTING_BEHIND_PROXY,
	SETTING_BASE_URL,
	SETTING_ABSOLUTE_LINKS,
	SETTING_CORS_ORIGINS,
	SETTING_IDLE,
	SETTING_CONNECTIONS,
	SETTING_TIMEOUT,
	SETTING_QUEUE,
	SETTING_QUIET,
	SETTING_LOG_FORMAT,
	SETTINGS,
};

#define SETTING_BIT(setting) (UINT64_C(1) << (setting))

/* The exit statuses of every command. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct settings {
	struct arena arena; /* owns what was read from the file */
	const struct commands *commands;
	const struct command *command;
	const char *argument; /* NULL where the command takes none */
	FILE *out, *err;      /* where the command says what it found, and what is wrong */
	bool serving;         /* the process that runs it serves the folder */
	/* That process: does what others ask for meanwhile, and is false when it is to end. */
	bool (*meanwhile)(void *context);
	void *context;
	const char *serving_domain;   /* and with this base domain; or NULL */
	const char *text[SETTINGS];   /* NULL: not set and without a default */
	const char *origin[SETTINGS]; /* for messages: "--tasks", "DOCKET_TASKS"; NULL: default */
	int64_t number[SETTINGS];     /* of those that are numbers, and 1 for a switch that is on */
};

struct json_t; /* of jansson */
struct store;

typedef enum exit_status admin_fn(const struct settings *settings, struct store *store,
				  const unsigned char *token_hash);

/* One row per command. */
struct command {
	const char *name;
	const char *argument; /* what it is about, as NAME: one word without a dash; or NULL */
	const char *summary;
	const char *about; /* what --help says besides */
	uint64_t takes;    /* SETTING_BIT of each setting that it knows */
	uint64_t needs;    /* those that must be set */
	/* Those of `takes` that only an option sets: what changes or removes a record must not come
	 * from an environment or a file that was meant for another command. */
	uint64_t options_only;
	enum exit_status (*run)(const struct settings *settings);
	/* What admin_run() runs: works on the accounts of a folder, whichever process has it. */
	admin_fn *admin;
	bool makes_token; /* it makes an API token, which it is given the hash of */
};

/* All of them, in the order of help. */
struct commands {
	const struct command *rows;
	size_t count;
};

/* What main() is: runs the command that the words name, or says which there are. */
enum exit_status cli_main(const struct commands *commands, int argc, char **argv);

/* Whether a place is a database's URL, and no folder. */
bool settings_is_url(const char *place);

/* Says what is wrong with the value of a setting, naming where it came from. */
enum exit_status settings_wrong(const struct settings *settings, enum setting setting,
				const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Says that a setting with a value must be set. */
enum exit_status settings_missing(const struct settings *settings, enum setting setting);

/* For what another process asks: sets one by its name, then all that have a default. `origin` is
 * for messages, or NULL. False where the command does not take it or the value does not fit, which
 * is said. */
bool settings_take(struct settings *settings, const char *name, const char *text,
		   const char *origin);
bool settings_presets(struct settings *settings);
void settings_release(struct settings *settings);

/* "token-file" and so on. */
const char *settings_name(enum setting setting);

/* "docket: WHAT: why" on settings->err, where `err` is one. */
enum exit_status output_outcome(const struct settings *settings, enum err err, const char *what);

/* An array of objects with the same keys, as JSON or as a table; it is released. NULL is out of
 * memory. `what` they are, as "accounts": of a table without rows it is said that there are none.
 */
enum exit_status output_list(const struct settings *settings, const char *what,
			     struct json_t *rows);

/* A time for a listing; null for TIME_NONE. */
struct json_t *output_time(int64_t time);

/* A line on the terminal that tells how far a long command is; nothing where standard error is no
 * terminal. */
struct progress {
	const char *what; /* "tasks" */
	int64_t total;
	int64_t begun_ms; /* monotonic_ms() */
	int64_t shown_ms;
	bool terminal;
};

void progress_begin(struct progress *progress, const char *what, int64_t total);
void progress_show(struct progress *progress, int64_t done);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
