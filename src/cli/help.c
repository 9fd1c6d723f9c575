/* SPDX-License-Identifier: MIT */
/* Prints help, from the tables of commands and of settings. */
#include "help.h"

#include "settings_private.h"

void help_usage(const struct commands *commands, FILE *to)
{
	fprintf(to, "docket: a server for casework tasks\n\nusage: docket COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < commands->count; i++)
		fprintf(to, "  %-14s  %s\n", commands->rows[i].name, commands->rows[i].summary);
	fprintf(to, "\n\"docket help COMMAND\" and \"docket COMMAND --help\" list the options of a "
		    "command,\n\"docket version\" and \"docket --version\" print the version.\n");
}

bool help_is_in_group(const struct command *command, const char *group)
{
	size_t len = strlen(group);

	return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

bool help_group(const struct commands *commands, const char *group, FILE *to)
{
	size_t count = 0;

	for (size_t i = 0; i < commands->count; i++) {
		if (!help_is_in_group(&commands->rows[i], group))
			continue;
		if (count++ == 0)
			fprintf(to, "docket %s: one of these commands:\n\n", group);
		fprintf(to, "  %-14s  %s\n", commands->rows[i].name, commands->rows[i].summary);
	}
	return count > 0;
}

void help_command(const struct command *command)
{
	printf("docket %s%s%s%s%s: %s\n", command->name, command->argument ? " " : "",
	       command->argument ? command->argument : "", command->second ? " " : "",
	       command->second ? command->second : "", command->summary);
	if (command->about)
		printf("\n%s\n", command->about);
	printf("\noptions:\n");
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = &setting_rows[i];
		char flag[64];

		if (!(command->takes & SETTING_BIT(i)) || row->type == SETTING_SECRET)
			continue;
		snprintf(flag, sizeof(flag), "--%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		printf("  %-22s %s", flag, row->help);
		if (row->preset)
			printf(" (%s)", row->preset);
		else if (command->needs & SETTING_BIT(i))
			printf(" (needed)");
		printf("\n");
	}
	printf("  %-22s %s\n", "--help", "print this and end");
	printf("\nEach option is also an environment variable, --data as DOCKET_DATA, and a key\n"
	       "of the configuration file. Options override environment variables, which\n"
	       "override the file.\n");
}
