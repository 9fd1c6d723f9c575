/* SPDX-License-Identifier: MIT */
/* The table of settings, and what the files that read settings share. */
#ifndef CLI_SETTINGS_PRIVATE_H
#define CLI_SETTINGS_PRIVATE_H

#include "cli/cli.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_ANY_TEXT, /* may be "" */
	SETTING_NUMBER,
	SETTING_SWITCH,
	SETTING_LIST,  /* comma-separated; a repeated option adds to it */
	SETTING_URL,   /* of a database */
	SETTING_PLACE, /* a folder or a URL */
	/* A text without an option: other users of the machine see a command's options. */
	SETTING_SECRET,
};

/* A setting: its option, environment variable, key of the file, and help. */
struct setting_row {
	const char *name;
	const char *argument; /* the name of the value in help; NULL for a switch */
	enum setting_type type;
	int64_t max;        /* the largest number; the smallest is 0 */
	const char *preset; /* the default, or NULL */
	const char *help;
};

extern const struct setting_row setting_rows[SETTINGS];

/* The name of the setting that is most like `name`; NULL if none is near. */
const char *setting_nearest(const char *name);

/* Whether a setting is set. A folder counts as set if a database is, and the other way round. */
bool setting_is_set(const struct settings *settings, int i);

/* Whether the environment and the file may set a setting. */
bool setting_may_be_preset(const struct command *command, int i);

/* Sets one value. False, with a message, if it is wrong. `origin` may be NULL. */
bool setting_set(struct settings *settings, enum setting setting, const char *text,
		 const char *origin);

/* Reads the options and the command's argument. argv[0] is the last word of the command's name.
 * False if help or an error was printed; `status_out` is the exit status then. */
bool settings_read_flags(struct settings *settings, int argc, char **argv,
			 enum exit_status *status_out);

/* Reads the file that --config names, if any. False, with a message, if something is wrong. */
bool settings_read_file(struct settings *settings);

/* Reads all settings for `command`, one of `commands`. True if the command is to be run. Otherwise
 * help or an error was printed, and `status_out` is the exit status. */
bool settings_read(struct settings *settings, const struct commands *commands,
		   const struct command *command, int argc, char **argv,
		   enum exit_status *status_out);

/* Warns about environment variables that have nearly the name of a setting. */
void settings_warn(void);

/* Sets the form of the log from --log-format. Without that it is text on a terminal, and JSON
 * otherwise. False, with a message, if there is no such form. */
bool settings_set_log(const struct settings *settings);

#endif
