/* SPDX-License-Identifier: MIT */
/* What docket help prints. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

/* Prints how to call docket, and all commands. */
void help_usage(const struct commands *commands, FILE *to);

/* Prints the commands of a group, such as "account add" of "account". False if there are none. */
bool help_group(const struct commands *commands, const char *group, FILE *to);

bool help_is_in_group(const struct command *command, const char *group);

/* Prints what a command does, and its options. */
void help_command(const struct command *command);

#endif
