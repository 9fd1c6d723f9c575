/* SPDX-License-Identifier: MIT */
/* What every command is: a function of its settings that says what went wrong on settings->err
 * and returns the exit status. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/settings.h"

extern const struct command commands[];
extern const size_t command_count;

enum exit_status command_init(const struct settings *settings);
enum exit_status command_demo(const struct settings *settings);
enum exit_status command_check(const struct settings *settings);
enum exit_status command_migrate(const struct settings *settings);
enum exit_status command_move(const struct settings *settings);
enum exit_status command_serve(const struct settings *settings);

/* Runs a command that has `admin`: on the folder, or by the process that serves it. */
enum exit_status admin_run(const struct settings *settings);

admin_fn account_add, account_list, account_set, account_remove;
admin_fn staff_add, staff_list, staff_set;
admin_fn token_add, token_list, token_revoke;

#endif
