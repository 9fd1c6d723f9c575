/* SPDX-License-Identifier: MIT */
/* Reads the settings that are given as options, and the command's argument. */
#include <getopt.h>

#include "help.h"
#include "settings_private.h"

/* The flags: each has the number of its setting, and --help comes last. */
#define OPTION_HELP SETTINGS

/* getopt_long() takes `--dat` for `--data`; a later `--date` would then break a script. */
static bool is_shortened(const char *argument, const char *name)
{
	return strcspn(argument, "=") != strlen(name) + 2;
}

/* Of the command, and --help, which comes last. */
static void flags_of_command(const struct command *command, struct option options[SETTINGS + 2])
{
	size_t count = 0;

	for (int i = 0; i < SETTINGS; i++)
		if (command->takes & SETTING_BIT(i))
			options[count++] = (struct option){
				setting_rows[i].name,
				setting_rows[i].argument ? required_argument : no_argument, NULL,
				i};
	options[count] = (struct option){"help", no_argument, NULL, OPTION_HELP};
}

/* What getopt_long() found is no option as it must be: says why. */
static bool flag_refuse(const struct command *command, int found, const char *argument)
{
	/* optopt is the setting where a value was given to a switch. */
	fprintf(stderr, "docket %s: %s %s; see \"docket help %s\"\n", command->name, argument,
		found == ':'                      ? "needs a value"
		: optopt > 0 && optopt < SETTINGS ? "takes no value"
						  : "is not a known option",
		command->name);
	return false;
}

/* What is left behind the options. */
static bool arguments_check(const struct settings *settings, const char *left)
{
	const char *name = settings->command->name;

	if (left)
		fprintf(stderr,
			"docket %s: \"%s\" is one argument too many; see \"docket help %s\"\n",
			name, left, name);
	else if (settings->command->argument && !settings->argument)
		fprintf(stderr, "docket %s: %s is missing; see \"docket help %s\"\n", name,
			settings->command->argument, name);
	else
		return true;
	return false;
}

/* What the option that getopt_long() found sets. NULL: no memory. */
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
	const char *argument, *origin;
	int found;

	flags_of_command(command, options);
	*status_out = EXIT_USAGE;
	optind = 1;
	opterr = 0;
	/* The + keeps the order, so that argv[optind] is what is read next. */
	for (;;) {
		argument = argv[optind];
		found = getopt_long(argc, argv, "+:h", options, NULL);
		if (found == -1 && optind < argc && command->argument && !settings->argument) {
			settings->argument = argv[optind++];
			/* Behind "--" nothing is an option, which getopt_long() forgets. */
			if (strcmp(argv[optind - 2], "--") != 0)
				continue;
		}
		if (found == -1)
			break;
		if (found == OPTION_HELP || found == 'h') {
			help_command(command);
			*status_out = EXIT_OK;
			return false;
		}
		if (found == ':' || found == '?' ||
		    is_shortened(argument, setting_rows[found].name))
			return flag_refuse(command, found, argument);
		origin = arena_printf(&settings->arena, "--%s", setting_rows[found].name);
		if (!origin || !setting_set(settings, (enum setting)found,
					    flag_value(settings, (enum setting)found), origin))
			return false;
	}
	return arguments_check(settings, optind < argc ? argv[optind] : NULL);
}
