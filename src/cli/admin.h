/* SPDX-License-Identifier: MIT */
/* What the commands that work on accounts share. */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include <jansson.h>

#include "cli/commands.h"
#include "model/staff.h"
#include "store/store.h"

/* Where the settings say that everything is kept. */
void admin_place(const struct settings *settings, struct store_config *config);

/* The account that --account names, or the only one; else says what is wrong. Texts are in the
 * arena. */
bool admin_account(const struct settings *settings, struct store *store, struct arena *arena,
		   struct account *account_out);

/* Whether `name` can be an account's, and says so where it cannot. */
bool admin_account_name(const struct settings *settings, const char *name);

/* Reads a staff member from settings, for fields `given`, and says what is wrong. The user name is
 * `username`, which the command's argument is where `by_argument`. */
bool admin_staff(const struct settings *settings, const char *username, bool by_argument,
		 struct staff *staff_out, uint64_t *given_out);

/* Says the faults of a staff member. */
void admin_staff_faults(const struct settings *settings, bool by_argument,
			const struct faults *faults);

/* "docket: WHAT: why" on settings->err, where `err` is one. */
enum exit_status admin_outcome(const struct settings *settings, enum err err, const char *what);

/* Runs a write; its arena and faults are set up here. */
enum err admin_write(struct store *store, struct store_write *write, struct arena *arena,
		     struct faults *faults);

/* An array of objects with the same keys, as JSON or as a table; it is released. NULL is out of
 * memory. `what` they are, as "accounts": of a table without rows it is said that there are none.
 */
enum exit_status admin_list(const struct settings *settings, const char *what, json_t *rows);

/* "docket COMMAND: nothing to change: give --email, …", of the options that are its own. */
enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count);

/* Makes the file, mode 0600, which must not be there; else says what is wrong. In the data folder
 * it belongs to the folder's owner. */
bool admin_token_file(const struct settings *settings, const char *file, const char *token);

/* A time for a listing; null for TIME_NONE. */
json_t *admin_time(int64_t time);

#endif
