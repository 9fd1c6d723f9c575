/* SPDX-License-Identifier: MIT */
/* What every command is: a function of its settings that says what went wrong on standard error
 * and returns the exit status. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/settings.h"

enum exit_status command_init(const struct settings *settings);
enum exit_status command_demo(const struct settings *settings);
enum exit_status command_serve(const struct settings *settings);

/* Runs a command that has `admin`. */
enum exit_status admin_run(const struct settings *settings);

admin_fn account_add;

#endif
