/* SPDX-License-Identifier: MIT */
/* Finds the command that the command line names, and runs it. */
#include <sys/stat.h>

#include "base/text.h"
#include "help.h"
#include "settings_private.h"

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static enum exit_status command_refuse(const struct commands *commands, const char *first,
				       const char *second)
{
	const char *names[64] = {0}, *nearest;
	char name[128];
	size_t count = 0;
	bool group = false;

	for (size_t i = 0; i < commands->count; i++)
		group |= help_is_in_group(&commands->rows[i], first);
	for (size_t i = 0; i < commands->count && count < 63; i++)
		if (!group || help_is_in_group(&commands->rows[i], first))
			names[count++] = commands->rows[i].name;
	if (group && !*second) {
		help_group(commands, first, stderr);
		return EXIT_USAGE;
	}
	/* The second word is part of the command's name only if the first one is the name of a
	 * group. */
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

/* Finds a command. Its name has one word or two; `words_out` is how many. NULL if there is none. */
static const struct command *command_find(const struct commands *commands, const char *first,
					  const char *second, int *words_out)
{
	for (size_t i = 0; i < commands->count; i++) {
		const char *name = commands->rows[i].name, *blank = strchr(name, ' ');
		size_t len = blank ? (size_t)(blank - name) : strlen(name);

		if (strlen(first) == len && strncmp(name, first, len) == 0 &&
		    (!blank || strcmp(blank + 1, second) == 0)) {
			*words_out = blank ? 2 : 1;
			return &commands->rows[i];
		}
	}
	return NULL;
}

/* "docket help", "docket help serve", "docket help staff", "docket help staff set". */
static enum exit_status help_print(const struct commands *commands, const char *first,
				   const char *second)
{
	const struct command *command;
	int words;

	if (!*first || is_help(first)) {
		help_usage(commands, stdout);
		return EXIT_OK;
	}
	command = command_find(commands, first, second, &words);
	if (command)
		help_command(command);
	else if (*second || !help_group(commands, first, stdout))
		return command_refuse(commands, first, second);
	return EXIT_OK;
}

static enum exit_status command_run(const struct commands *commands, const struct command *command,
				    int argc, char **argv)
{
	struct settings settings;
	enum exit_status status;
	bool fine = settings_read(&settings, commands, command, argc, argv, &status);

	if (fine && command->takes & SETTING_BIT(SETTING_LOG_FORMAT) &&
	    !settings_set_log(&settings)) {
		fine = false;
		status = EXIT_USAGE;
	}
	if (fine || status != EXIT_OK)
		settings_warn();
	if (fine)
		status = command->run(&settings);
	settings_release(&settings);
	return status;
}

static enum exit_status command_line_run(const struct commands *commands, int argc, char **argv)
{
	const char *second = argc > 2 ? argv[2] : "";
	int words = 1;
	const struct command *command = command_find(commands, argv[1], second, &words);

	if (is_help(argv[1]))
		return help_print(commands, second, argc > 3 ? argv[3] : "");
	/* "docket serve help". If a command takes an argument, "help" is that argument. */
	if (command && !command->argument && argc == words + 2 && is_help(argv[words + 1]))
		return help_print(commands, argv[1], second);
	if (command)
		return command_run(commands, command, argc - words, argv + words);
	if (is_help(second) && help_group(commands, argv[1], stdout))
		return EXIT_OK;
	return command_refuse(commands, argv[1], second);
}

enum exit_status cli_main(const struct commands *commands, int argc, char **argv)
{
	enum exit_status status = EXIT_USAGE;

	/* Only the user that docket runs as may read or write the files that it makes. */
	umask(077);
	if (argc < 2) {
		help_usage(commands, stderr);
	} else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("docket %s\n", DOCKET_VERSION);
		status = EXIT_OK;
	} else {
		status = command_line_run(commands, argc, argv);
	}
	/* Output that could not be written is a failure. */
	if (fflush(stdout) && status == EXIT_OK) {
		fprintf(stderr, "docket: cannot write to standard output\n");
		status = EXIT_FAILED;
	}
	return status;
}
