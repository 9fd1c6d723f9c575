/* SPDX-License-Identifier: MIT */
/* What docket help prints. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

/* How docket is called, and all commands. */
void help_usage(const struct commands *commands, FILE *to);

/* "docket account": the commands that begin so. False where none does. */
bool help_group(const struct commands *commands, const char *group, FILE *to);

bool help_is_in_group(const struct command *command, const char *group);

/* The command's options. */
void help_command(const struct command *command);

#endif
