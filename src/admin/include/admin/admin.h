/* SPDX-License-Identifier: MIT */
/* What an administrator does: commands on the accounts of a store, commands on a whole store, and
 * the socket over which a process that serves a folder runs those of others.
 *
 * A command on accounts is a function of an open store (admin_fn). Its row of the table of
 * commands names it beside admin_run(), which opens the store, or asks the process that has it:
 *
 *     {.name = "account list", .run = admin_run, .admin = account_list, …}
 *
 * Whoever serves a store answers such commands meanwhile:
 *
 *     struct control *control;
 *
 *     if (!control_start(settings, store, guesses, &control))
 *             return EXIT_FAILED;
 *     wait_for_a_signal();
 *     control_stop(control);
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "cli/cli.h"

struct account;
struct control;
struct guesses;
struct store_config;

/* Runs a command that has `admin`: on the store, or by the process that serves the folder. */
enum exit_status admin_run(const struct settings *settings);

admin_fn account_add, account_list, account_set, account_remove;
admin_fn staff_add, staff_list, staff_set;
admin_fn token_add, token_list, token_revoke;

enum exit_status command_init(const struct settings *settings);
enum exit_status command_check(const struct settings *settings);
enum exit_status command_migrate(const struct settings *settings);
enum exit_status command_move(const struct settings *settings);

/* Where the settings say that everything is kept. */
void admin_locate(const struct settings *settings, struct store_config *config);

/* The account that --account names, or the only one; else says what is wrong. Texts are in the
 * arena. */
bool admin_account(const struct settings *settings, struct store *store, struct arena *arena,
		   struct account *account_out);

/* Ends the removals of accounts that were broken off, and serves the socket of the folder, on a
 * thread of its own; `guesses` are told of every token that a command makes. A database has no
 * socket: commands open it themselves. Says what is wrong. */
bool control_start(const struct settings *settings, struct store *store, struct guesses *guesses,
		   struct control **control_out);

/* Answers what is under way and ends. NULL is accepted. */
void control_stop(struct control *control);

#endif
