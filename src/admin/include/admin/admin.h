/* SPDX-License-Identifier: MIT */
/* The commands of an administrator: on the accounts of a store, and on a whole store. Also the
 * control socket, over which the process that serves a folder runs commands for other processes.
 *
 * A command on accounts is a function that gets an open store (admin_fn). Its row in the table of
 * commands has the function and admin_run(). admin_run() opens the store and calls the function. If
 * another process has the store open, that process calls the function:
 *
 *     {.name = "account list", .run = admin_run, .admin = account_list, …}
 *
 * While a process serves a store, it runs the commands of other processes:
 *
 *     const struct control_config config = {settings, store, guesses, my_status, my};
 *     struct control *control;
 *
 *     if (!control_start(&config, &control))
 *             return EXIT_FAILED;
 *     wait_for_a_signal();
 *     control_stop(control); */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "cli/cli.h"

struct account;
struct control;
struct guesses;
struct json_t; /* of jansson */
struct mail_config;
struct store_config;

/* Runs a command that has `admin`: in this process, or in the one that serves the folder. */
enum exit_status admin_run(const struct settings *settings);

admin_fn account_add, account_list, account_set, account_remove;
admin_fn staff_add, staff_list, staff_set;
admin_fn token_add, token_list, token_revoke, token_rotate;
admin_fn alerts_list, alerts_retry, alerts_cancel;

/* "docket status": the command, and the function that the serving process runs for it. */
enum exit_status command_status(const struct settings *settings);
admin_fn status_answer;

/* "docket backup": the command, and the function that runs where the store is open. */
enum exit_status command_backup(const struct settings *settings);
admin_fn backup_answer;

enum exit_status command_restore(const struct settings *settings);
enum exit_status command_mail_test(const struct settings *settings);
enum exit_status command_init(const struct settings *settings);
enum exit_status command_check(const struct settings *settings);
enum exit_status command_migrate(const struct settings *settings);
enum exit_status command_move(const struct settings *settings);

/* Sets the folder or the database of `config` from the settings. */
void admin_locate(const struct settings *settings, struct store_config *config);

/* Finds the account that --account names, or the only one. False, with a message, if there is none.
 * Texts are in the arena. */
bool admin_account(const struct settings *settings, struct store *store, struct arena *arena,
		   struct account *account_out);

/* Reads a time of day, such as "03:00", as a minute of the day. False: it is not one. */
bool admin_minute(const char *text, int32_t *minute_out);

/* What the settings say about mail. A password that is read from a file is in the arena. Without
 * --smtp-url `url` is NULL. False, with a message, if a setting is wrong. */
bool admin_mail(const struct settings *settings, struct arena *arena,
		struct mail_config *config_out);

struct control_config {
	const struct settings *settings; /* of the command that serves */
	struct store *store;
	struct guesses *guesses; /* tokens that commands make are added to it */
	/* For "docket status": an object of sections. Each is an object of numbers and texts. A
	 * name ends in the unit: _bytes, _s, _ms or _us. Only --json shows arrays, and names that
	 * begin with total_. NULL: memory ran out. */
	struct json_t *(*status)(void *context);
	void *context;
};

/* Starts a thread that completes removals of accounts that were broken off, and then serves the
 * control socket. With a PostgreSQL database there is a socket only if --control-socket is given.
 * It is only for "docket status": other commands open the database themselves. `config` is copied.
 * False, with a message, if this fails. */
bool control_start(const struct control_config *config, struct control **control_out);

/* Answers the commands that have come, and ends the thread. NULL is accepted. */
void control_stop(struct control *control);

#endif
