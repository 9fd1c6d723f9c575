/* SPDX-License-Identifier: MIT */
/* From the command line to a row of the command table. */
#include <sys/stat.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/serve_log.h"

static void print_usage(FILE *to)
{
	fprintf(to, "docket: a server for casework tasks\n\nusage: docket COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < command_count; i++)
		fprintf(to, "  %-14s  %s\n", commands[i].name, commands[i].summary);
	fprintf(to, "\n\"docket help COMMAND\" and \"docket COMMAND --help\" list the options of a "
		    "command,\n\"docket version\" and \"docket --version\" print the version.\n");
}

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_in_group(const struct command *command, const char *group)
{
	size_t len = strlen(group);

	return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

/* "docket account": the commands that begin so. False where none does. */
static bool print_group(const char *group, FILE *to)
{
	size_t count = 0;

	for (size_t i = 0; i < command_count; i++) {
		if (!is_in_group(&commands[i], group))
			continue;
		if (count++ == 0)
			fprintf(to, "docket %s: one of these commands:\n\n", group);
		fprintf(to, "  %-14s  %s\n", commands[i].name, commands[i].summary);
	}
	return count > 0;
}

static enum exit_status no_command(const char *first, const char *second)
{
	const char *names[64] = {0}, *nearest;
	char name[128];
	size_t count = 0;
	bool group = false;

	for (size_t i = 0; i < command_count; i++)
		group |= is_in_group(&commands[i], first);
	for (size_t i = 0; i < command_count && count < 63; i++)
		if (!group || is_in_group(&commands[i], first))
			names[count++] = commands[i].name;
	if (group && !*second) {
		print_group(first, stderr);
		return EXIT_USAGE;
	}
	/* The second word is an argument, unless the first is that of a group. */
	snprintf(name, sizeof(name), "%s%s%s", first, group ? " " : "", group ? second : "");
	nearest = text_nearest(slice_of(name), names);
	if (nearest)
		fprintf(stderr, "docket: \"%s\" is not a command; did you mean \"%s\"?\n", name,
			nearest);
	else
		fprintf(stderr, "docket: \"%s\" is not a command; see \"docket help%s%s\"\n", name,
			group ? " " : "", group ? first : "");
	return EXIT_USAGE;
}

/* Commands have names of one word or of two; `words_out` is how many. NULL where there is none. */
static const struct command *find_command(const char *first, const char *second, int *words_out)
{
	for (size_t i = 0; i < command_count; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');
		size_t len = blank ? (size_t)(blank - name) : strlen(name);

		if (strlen(first) == len && strncmp(name, first, len) == 0 &&
		    (!blank || strcmp(blank + 1, second) == 0)) {
			*words_out = blank ? 2 : 1;
			return &commands[i];
		}
	}
	return NULL;
}

/* "docket help", "docket help serve", "docket help staff", "docket help staff set". */
static enum exit_status print_help(const char *first, const char *second)
{
	const struct command *command;
	int words;

	if (!*first || is_help(first)) {
		print_usage(stdout);
		return EXIT_OK;
	}
	command = find_command(first, second, &words);
	if (command)
		settings_help(command);
	else if (*second || !print_group(first, stdout))
		return no_command(first, second);
	return EXIT_OK;
}

static enum exit_status run(const struct command *command, int argc, char **argv)
{
	struct settings settings;
	enum exit_status status;
	bool fine = settings_read(&settings, command, argc, argv, &status);

	if (fine && command->takes & SETTING_BIT(SETTING_LOG_FORMAT) &&
	    !serve_log_begin(&settings)) {
		fine = false;
		status = EXIT_USAGE;
	}
	if (fine || status != EXIT_OK)
		settings_warn();
	if (fine)
		status = command->run ? command->run(&settings) : admin_run(&settings);
	settings_release(&settings);
	return status;
}

static enum exit_status find_and_run(int argc, char **argv)
{
	const char *second = argc > 2 ? argv[2] : "";
	int words = 1;
	const struct command *command = find_command(argv[1], second, &words);

	if (is_help(argv[1]))
		return print_help(second, argc > 3 ? argv[3] : "");
	/* "docket serve help"; where a command is about something, that may be called help. */
	if (command && !command->argument && argc == words + 2 && is_help(argv[words + 1]))
		return print_help(argv[1], second);
	if (command)
		return run(command, argc - words, argv + words);
	if (is_help(second) && print_group(argv[1], stdout))
		return EXIT_OK;
	return no_command(argv[1], second);
}

int main(int argc, char **argv)
{
	enum exit_status status = EXIT_USAGE;

	/* What docket makes is for its own user alone. */
	umask(077);
	if (argc < 2) {
		print_usage(stderr);
	} else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
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
