/* SPDX-License-Identifier: MIT */
/* Settings: one table of them for flags, environment and configuration file. `--token-file FILE`
 * is also DOCKET_TOKEN_FILE and the key `token-file` of the file that --config names. A flag goes
 * before the environment, and that before the file. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

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
	/* Instead of `run`: works on the accounts of a folder, whichever process has it. */
	admin_fn *admin;
	bool makes_token; /* it makes an API token, which it is given the hash of */
};

/* Reads everything for `command`; argv[0] is the last word of its name. True when the command is to
 * be run; else help or what is wrong was printed, and `status_out` is the exit status. */
bool settings_read(struct settings *settings, const struct command *command, int argc, char **argv,
		   enum exit_status *status_out);
void settings_release(struct settings *settings);

/* Warns of environment variables that are nearly those of a setting. */
void settings_warn(void);

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

/* "token-file" and so on. */
const char *settings_name(enum setting setting);

/* Prints the command's options. */
void settings_help(const struct command *command);

#endif
