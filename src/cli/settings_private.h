/* SPDX-License-Identifier: MIT */
/* The table of settings, and what those that read settings from somewhere share. */
#ifndef CLI_SETTINGS_PRIVATE_H
#define CLI_SETTINGS_PRIVATE_H

#include "cli/cli.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_ANY_TEXT, /* also none: "" */
	SETTING_NUMBER,
	SETTING_SWITCH,
	SETTING_LIST,  /* by comma; an option that is repeated adds to it */
	SETTING_URL,   /* of a database */
	SETTING_PLACE, /* a folder or a URL */
};

/* Options, environment, file and help follow from it. */
struct setting_row {
	const char *name;
	const char *argument; /* what stands for the value in help; NULL for a switch */
	enum setting_type type;
	int64_t max;        /* of a number; they begin at 0 */
	const char *preset; /* the value where none is given; or NULL */
	const char *help;
};

extern const struct setting_row setting_rows[SETTINGS];

/* The name that is most like it; NULL where none is near. */
const char *setting_nearest(const char *name);

/* A folder and a database take each other's place: whichever was set first is meant. */
bool setting_is_set(const struct settings *settings, int i);

/* Whether the environment and the file may set it. */
bool setting_may_be_preset(const struct command *command, int i);

/* Sets one value; false where it does not fit, which is said. `origin` may be NULL. */
bool setting_set(struct settings *settings, enum setting setting, const char *text,
		 const char *origin);

/* Reads the options and the command's argument; argv[0] is the last word of its name. False where
 * help or what is wrong was printed; `status_out` is the exit status then. */
bool settings_read_flags(struct settings *settings, int argc, char **argv,
			 enum exit_status *status_out);

/* Reads the file that --config names, if any. False where it is wrong, which is said. */
bool settings_read_file(struct settings *settings);

/* Reads everything for `command`, of `commands`. True when it is to be run; else help or what is
 * wrong was printed, and `status_out` is the exit status. */
bool settings_read(struct settings *settings, const struct commands *commands,
		   const struct command *command, int argc, char **argv,
		   enum exit_status *status_out);

/* Warns of environment variables that are nearly those of a setting. */
void settings_warn(void);

/* Chooses the form of the log, which --log-format names: without it text on a terminal, else
 * JSON. False where it names another, which is said. */
bool settings_set_log(const struct settings *settings);

#endif
