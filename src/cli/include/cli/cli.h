/* SPDX-License-Identifier: MIT */
/* The command line: settings, commands, help and output. One table has the settings for options,
 * environment and configuration file: `--token-file FILE` is also the variable DOCKET_TOKEN_FILE,
 * and the key `token-file` of the file that --config names. Options override the environment, and
 * the environment overrides the file.
 *
 * A program with one command:
 *
 *     static enum exit_status command_greet(const struct settings *settings)
 *     {
 *             const char *name = settings->text[SETTING_ACCOUNT];
 *
 *             if (!*name)
 *                     return settings_wrong(settings, SETTING_ACCOUNT, "is empty");
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
 *     } */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <assert.h>
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
	SETTING_CONTROL_SOCKET,
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
	SETTING_SCOPES,
	SETTING_ADDRESSES,
	SETTING_LENIENT,
	SETTING_OVERLAP,
	SETTING_COUNTRY,
	SETTING_REQUIRE_CASE,
	SETTING_EXPAND,
	SETTING_ALERT_HOUR,
	SETTING_TIME_ZONE,
	SETTING_YES,
	SETTING_JSON,
	SETTING_TASKS,
	SETTING_TASK,
	SETTING_STATE,
	SETTING_DRY_RUN,
	SETTING_FROM,
	SETTING_TO,
	SETTING_KEEP,
	SETTING_EPHEMERAL,
	SETTING_TOKEN,
	SETTING_LISTEN,
	SETTING_METRICS,
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
	SETTING_SLOW,
	SETTING_QUEUE,
	SETTING_MEMORY,
	SETTING_RECORD_CACHE,
	SETTING_NO_CONFINEMENT,
	SETTING_RATE_PER_TOKEN,
	SETTING_RATE_PER_ACCOUNT,
	SETTING_QUIET,
	SETTING_LOG_FORMAT,
	SETTING_SMTP_URL,
	SETTING_SMTP_USERNAME,
	SETTING_SMTP_PASSWORD,
	SETTING_SMTP_PASSWORD_FILE,
	SETTING_SMTP_CA,
	SETTING_SMTP_TIMEOUT,
	SETTING_MAIL_FROM,
	SETTING_MAIL_PER_MINUTE,
	SETTING_MAIL_PER_ACCOUNT,
	SETTING_REPLICATE_TO,
	SETTING_REPLICATE_KEEP,
	SETTING_BACKUP_TO,
	SETTING_BACKUP_AT,
	SETTING_AT,
	SETTING_CHANGE,
	SETTING_SINCE,
	SETTING_UNTIL,
	SETTINGS,
};

/* A set of settings: a bit for each. There are more than 64. */
__extension__ typedef unsigned __int128 setting_bits;

#define SETTING_BIT(setting) ((setting_bits)1 << (setting))
static_assert(SETTINGS <= 128, "setting_bits has too few bits");

/* The exit statuses of every command. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct audit_user;

struct settings {
	struct arena arena; /* owns what was read from the file */
	const struct commands *commands;
	const struct command *command;
	/* NULL if the command takes none. */
	const char *argument, *second;
	FILE *out, *err; /* for the command's results and for its messages */
	bool serving;    /* the process that runs the command serves the folder */
	/* In that process: runs a command of another process, if one waits. False: the process is
	 * ending. */
	bool (*meanwhile)(void *context);
	void *context;
	/* In that process: tells the other process how far a long command is. `what` is counted,
	 * such as "pages". False: that process has gone. */
	bool (*tell)(void *context, const char *what, int64_t done, int64_t total);
	void *tell_context;
	/* Takes the descriptor of the file that the command has made, and closes it later. NULL:
	 * the command makes none. */
	void (*take_file)(void *context, int fd);
	void *take_context;
	const char *serving_domain;   /* in that process: its base domain, or NULL */
	const struct audit_user *by;  /* in that process: who asked; NULL: this process's user */
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
	const char *argument; /* its name in help, such as NAME; NULL: it takes none */
	const char *second;   /* that of a second argument */
	const char *summary;
	const char *about;  /* more text for --help; or NULL */
	bool makes_token;   /* it makes an API token, and gets the token's hash */
	setting_bits takes; /* SETTING_BIT of each setting that it knows */
	setting_bits needs; /* those that must be set */
	/* Those of `takes` that only an option sets. A value that changes or removes a record must
	 * not come from an environment or a file that was meant for another command. */
	setting_bits options_only;
	enum exit_status (*run)(const struct settings *settings);
	/* The function that needs an open store. admin_run() opens the store and calls it. If
	 * another process serves the store, that process calls it. */
	admin_fn *admin;
};

/* All commands, in the order in which help lists them. */
struct commands {
	const struct command *rows;
	size_t count;
};

/* Does the work of main(): runs the command that the command line names, or lists the commands. */
enum exit_status cli_main(const struct commands *commands, int argc, char **argv);

/* Whether a location is the URL of a database. Otherwise it is a folder. */
bool settings_is_url(const char *location);

/* Prints what is wrong with the value of a setting, after the option, variable or key that set it.
 * Returns EXIT_USAGE. */
enum exit_status settings_wrong(const struct settings *settings, enum setting setting,
				const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reads a duration such as "90s", "30m", "12h" or "7d", or "0". False: it is none, or more than
 * `most` seconds. */
bool settings_duration(const char *text, int64_t most, int64_t *seconds_out);

/* Prints that the command needs a value of this setting. Returns EXIT_USAGE. */
enum exit_status settings_missing(const struct settings *settings, enum setting setting);

/* For a command of another process: settings_take() sets one setting by its name,
 * settings_presets() then those that have a default. `origin` is for messages, or NULL. False, with
 * a message, if the command does not take the setting or the value is wrong. */
bool settings_take(struct settings *settings, const char *name, const char *text,
		   const char *origin);
bool settings_presets(struct settings *settings);
void settings_release(struct settings *settings);

/* "token-file" and so on. */
const char *settings_name(enum setting setting);

/* The exit status of `err`. If it is an error, prints "docket: WHAT: why" on settings->err. */
enum exit_status output_outcome(const struct settings *settings, enum err err, const char *what);

/* Prints an array of objects with the same keys, as JSON or as a table, and releases it. `rows`
 * NULL: memory ran out. `what` names the objects, such as "accounts"; instead of an empty table it
 * prints that there are none. */
enum exit_status output_list(const struct settings *settings, const char *what,
			     struct json_t *rows);

/* A time for a listing; null for TIME_NONE. */
struct json_t *output_time(int64_t time);

/* A line on the terminal that shows the progress of a long command. If standard error is not a
 * terminal, nothing is shown. */
struct progress {
	const char *what; /* "tasks" */
	int64_t total;
	int64_t begun_ms; /* monotonic_ms() */
	int64_t shown_ms;
	bool terminal;
};

void progress_begin(struct progress *progress, const char *what, int64_t total);
void progress_show(struct progress *progress, int64_t done);
/* Shows the progress of `what`, and begins a new line if that is not what it showed before. `what`
 * is kept. */
void progress_tell(struct progress *progress, const char *what, int64_t done, int64_t total);
/* Removes the line. */
void progress_end(struct progress *progress);

#endif
