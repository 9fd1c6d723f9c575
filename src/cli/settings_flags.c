/* SPDX-License-Identifier: MIT */
/* Reads the settings that are given as options, and the command's argument. */
#include <getopt.h>

#include "help.h"
#include "settings_private.h"

/* getopt_long() returns this plus the number of an option's setting, and the last for --help. All
 * are above the characters that it returns itself, such as ':' and '?'. */
#define OPTION_FIRST 256
#define OPTION_HELP (OPTION_FIRST + SETTINGS)

/* Whether an option is shortened: getopt_long() takes `--dat` for `--data`. docket refuses that,
 * because a later option `--date` would break scripts. */
static bool is_shortened(const char *argument, const char *name)
{
	return strcspn(argument, "=") != strlen(name) + 2;
}

/* Lists the command's options for getopt_long(), and --help as the last. */
static void flags_of_command(const struct command *command, struct option options[SETTINGS + 2])
{
	size_t count = 0;

	for (int i = 0; i < SETTINGS; i++)
		if ((command->takes & SETTING_BIT(i)) && setting_rows[i].type != SETTING_SECRET)
			options[count++] = (struct option){
				setting_rows[i].name,
				setting_rows[i].argument ? required_argument : no_argument, NULL,
				OPTION_FIRST + i};
	options[count] = (struct option){"help", no_argument, NULL, OPTION_HELP};
}

/* Prints why an option is refused. */
static bool flag_refuse(const struct command *command, int found, const char *argument)
{
	/* If a switch was given a value, optopt is its setting. */
	fprintf(stderr, "docket %s: %s %s; see \"docket help %s\"\n", command->name, argument,
		found == ':'             ? "needs a value"
		: optopt >= OPTION_FIRST ? "takes no value"
					 : "is not a known option",
		command->name);
	return false;
}

/* Where the next argument goes; NULL: the command takes no more. */
static const char **argument_next(struct settings *settings)
{
	const struct command *command = settings->command;

	if (command->argument && !settings->argument)
		return &settings->argument;
	return command->second && !settings->second ? &settings->second : NULL;
}

/* Checks the arguments. `left` is the first one behind the options and the command's arguments,
 * or NULL. */
static bool arguments_check(const struct settings *settings, const char *left)
{
	const char *name = settings->command->name;

	if (left)
		fprintf(stderr,
			"docket %s: \"%s\" is one argument too many; see \"docket help %s\"\n",
			name, left, name);
	else if (argument_next(&(struct settings){.command = settings->command,
						  .argument = settings->argument,
						  .second = settings->second}))
		fprintf(stderr, "docket %s: %s is missing; see \"docket help %s\"\n", name,
			settings->argument ? settings->command->second
					   : settings->command->argument,
			name);
	else
		return true;
	return false;
}

/* The value of the option that getopt_long() found. NULL: out of memory. */
static const char *flag_value(struct settings *settings, enum setting setting)
{
	const char *before = settings->text[setting];

	if (!optarg)
		return "yes";
	if (setting_rows[setting].type != SETTING_LIST || !before || !*optarg)
		return optarg;
	return arena_printf(&settings->arena, "%s,%s", before, optarg);
}

bool settings_read_flags(struct settings *settings, int argc, char **argv,
			 enum exit_status *status_out)
{
	const struct command *command = settings->command;
	struct option options[SETTINGS + 2] = {{0}};
	const char *argument, *origin, **next;
	enum setting setting;
	int found;

	flags_of_command(command, options);
	*status_out = EXIT_USAGE;
	optind = 1;
	opterr = 0;
	/* With the + getopt_long() keeps the order of argv, so that it reads argv[optind] next. */
	for (;;) {
		argument = argv[optind];
		found = getopt_long(argc, argv, "+:h", options, NULL);
		next = found == -1 && optind < argc ? argument_next(settings) : NULL;
		if (next && strcmp(argv[optind - 1], "--") != 0) {
			*next = argv[optind++];
			continue;
		}
		/* Behind "--" nothing is an option; another call of getopt_long() would not know
		 * that. */
		for (; next && optind < argc; next = argument_next(settings))
			*next = argv[optind++];
		if (found == -1)
			break;
		if (found == OPTION_HELP || found == 'h') {
			help_command(command);
			*status_out = EXIT_OK;
			return false;
		}
		setting = (enum setting)(found - OPTION_FIRST);
		if (found < OPTION_FIRST || is_shortened(argument, setting_rows[setting].name))
			return flag_refuse(command, found, argument);
		origin = arena_printf(&settings->arena, "--%s", setting_rows[setting].name);
		if (!origin ||
		    !setting_set(settings, setting, flag_value(settings, setting), origin))
			return false;
	}
	return arguments_check(settings, optind < argc ? argv[optind] : NULL);
}
