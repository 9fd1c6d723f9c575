/* SPDX-License-Identifier: MIT */
/* From the command line to a row of the command table. */
#include <sys/stat.h>

#include "base/text.h"
#include "cli/commands.h"

static void print_usage(FILE *to)
{
	fprintf(to, "docket: a server for casework tasks\n\nusage: docket COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < command_count; i++)
		fprintf(to, "  %-14s  %s\n", commands[i].name, commands[i].summary);
	fprintf(to,
		"\n\"docket COMMAND --help\" tells the options of a command; \"docket --version\" "
		"the version.\n");
}

/* "docket account": the commands that begin so. False where none does. */
static bool print_group(const char *first, FILE *to)
{
	size_t len = strlen(first), count = 0;

	for (size_t i = 0; i < command_count; i++) {
		if (strncmp(commands[i].name, first, len) != 0 || commands[i].name[len] != ' ')
			continue;
		if (count++ == 0)
			fprintf(to, "docket %s: one of these commands:\n\n", first);
		fprintf(to, "  %-14s  %s\n", commands[i].name, commands[i].summary);
	}
	return count > 0;
}

static enum exit_status no_command(const char *first, const char *second)
{
	bool help = strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0;
	const char *names[64] = {0}, *nearest;
	char name[128];

	if ((help || !*second) && print_group(first, help ? stdout : stderr))
		return help ? EXIT_OK : EXIT_USAGE;
	for (size_t i = 0; i < command_count && i < 63; i++)
		names[i] = commands[i].name;
	snprintf(name, sizeof(name), "%s%s%s", first, *second && *second != '-' ? " " : "",
		 *second == '-' ? "" : second);
	nearest = text_nearest(slice_of(name), names);
	fprintf(stderr, "docket: unknown command \"%s\"%s%s%s; see \"docket --help\"\n", name,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	return EXIT_USAGE;
}

static enum exit_status run(const struct command *command, int argc, char **argv)
{
	struct settings settings;
	enum exit_status status;

	if (settings_read(&settings, command, argc, argv, &status))
		status = command->run ? command->run(&settings) : admin_run(&settings);
	settings_release(&settings);
	return status;
}

/* Commands have names of one word or of two. */
static enum exit_status find_and_run(int argc, char **argv)
{
	const char *second = argc > 2 ? argv[2] : "";

	for (size_t i = 0; i < command_count; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');
		size_t len = blank ? (size_t)(blank - name) : strlen(name);
		int words = blank ? 2 : 1;

		if (strlen(argv[1]) == len && strncmp(name, argv[1], len) == 0 &&
		    (!blank || strcmp(blank + 1, second) == 0))
			return run(&commands[i], argc - words, argv + words);
	}
	return no_command(argv[1], second);
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
		status = find_and_run(argc, argv);
	}
	/* What could not be written was not told. */
	if (fflush(stdout) && status == EXIT_OK) {
		fprintf(stderr, "docket: cannot write to standard output\n");
		status = EXIT_FAILED;
	}
	return (int)status;
}
