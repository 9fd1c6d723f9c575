/* SPDX-License-Identifier: MIT */
/* The command table, and from the command line to a row of it. */
#include <sys/stat.h>

#include "base/text.h"
#include "cli/commands.h"

#define BIT SETTING_BIT
#define DATA (BIT(SETTING_CONFIG) | BIT(SETTING_DATA))

static const struct command commands[] = {
	{
		.name = "init",
		.summary = "make a data folder with an account, its first staff member and an API "
			   "token",
		.about = "The token is printed on standard output, this one time; --token-file "
			 "keeps it\nin a file instead.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_USERNAME) | BIT(SETTING_EMAIL) |
			 BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.run = command_init,
	},
	{
		.name = "demo",
		.summary = "make sample records",
		.about =
			"Cases 245 and 246 with a subject and a case service each, a calendar and "
			"two more\nstaff members where they are not there yet, and --tasks N more "
			"tasks, with the cases,\nsubjects, calendars and staff of an agency of that "
			"size. Only for an account without\ncases of its own, while docket does not "
			"serve it.",
		.takes = DATA | BIT(SETTING_TASKS),
		.needs = BIT(SETTING_DATA),
		.run = command_demo,
	},
	{
		.name = "serve",
		.summary = "serve the API over HTTP",
		.about =
			"Says \"listening on http://ADDR:PORT\" on standard error once it accepts. "
			"SIGTERM and\nSIGINT end it when the requests under way are answered.",
		.takes = DATA | BIT(SETTING_LISTEN) | BIT(SETTING_BEHIND_PROXY),
		.needs = BIT(SETTING_DATA),
		.run = command_serve,
	},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *to)
{
	fprintf(to, "docket: a server for casework tasks\n\nusage: docket COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(to,
		"\n\"docket COMMAND --help\" tells the options of a command; \"docket --version\" "
		"the version.\n");
}

static enum exit_status no_command(const char *name)
{
	const char *names[COMMANDS + 1] = {0};

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	fprintf(stderr,
		"docket: \"%s\" is not a command; the nearest is \"%s\"; see \"docket --help\"\n",
		name, text_nearest(slice_of(name), names));
	return EXIT_USAGE;
}

static enum exit_status run(const struct command *command, int argc, char **argv)
{
	struct settings settings;
	enum exit_status status;

	if (settings_read(&settings, command, argc, argv, &status))
		status = command->run(&settings);
	settings_release(&settings);
	return status;
}

int main(int argc, char **argv)
{
	enum exit_status status = EXIT_USAGE;

	/* What docket makes is for its own user alone. */
	umask(077);
	if (argc < 2) {
		print_usage(stderr);
	} else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		status = EXIT_OK;
	} else if (strcmp(argv[1], "--version") == 0) {
		printf("docket %s\n", DOCKET_VERSION);
		status = EXIT_OK;
	} else {
		size_t i = 0;

		while (i < COMMANDS && strcmp(commands[i].name, argv[1]) != 0)
			i++;
		status = i < COMMANDS ? run(&commands[i], argc - 1, argv + 1) : no_command(argv[1]);
	}
	/* What could not be written was not told. */
	if (fflush(stdout) && status == EXIT_OK) {
		fprintf(stderr, "docket: cannot write to standard output\n");
		status = EXIT_FAILED;
	}
	return (int)status;
}
