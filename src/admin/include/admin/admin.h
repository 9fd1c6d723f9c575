/* SPDX-License-Identifier: MIT */
/* The commands of an administrator: on the accounts of a store, and on a whole store.
 *
 * A command on accounts is a function that gets an open store (admin_fn). Its row in the table of
 * commands has the function and admin_run(). admin_run() opens the store and calls the function. If
 * another process has the store open, that process calls the function:
 *
 *     {.name = "account list", .run = admin_run, .admin = account_list, …} */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/buf.h"
#include "cli/cli.h"

struct account;
struct mail_config;
struct store_config;

/* Runs a command that has `admin`: in this process, or in the one that serves the folder. */
enum exit_status admin_run(const struct settings *settings);

admin_fn account_add, account_list, account_set, account_remove;
admin_fn staff_add, staff_list, staff_set, staff_rename, staff_remove;
admin_fn token_add, token_list, token_revoke, token_rotate;
admin_fn alerts_list, alerts_retry, alerts_cancel;
admin_fn log_list;

/* "docket status": the command, and the function that the serving process runs for it. */
enum exit_status command_status(const struct settings *settings);
admin_fn status_answer;
/* For a command that asks as "docket status" does: checks its settings. EXIT_OK, or a message. */
enum exit_status status_check(const struct settings *settings);
/* What "docket status --json" shows; the caller releases it. NULL: `why` says why. */
struct json_t *status_ask(const struct settings *settings, struct buf *why);

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

#endif
