/* SPDX-License-Identifier: MIT */
/* What the commands that work on accounts share. */
#ifndef ADMIN_ADMIN_PRIVATE_H
#define ADMIN_ADMIN_PRIVATE_H

#include "admin/admin.h"
#include "model/staff.h"
#include "store/store.h"

/* Whether `name` can be an account's, and says so where it cannot. */
bool admin_account_name(const struct settings *settings, const char *name);

/* Reads a staff member from settings, for fields `given`, and says what is wrong. The user name is
 * `username`, which the command's argument is where `by_argument`. */
bool admin_staff(const struct settings *settings, const char *username, bool by_argument,
		 struct staff *staff_out, uint64_t *given_out);

/* Says the faults of a staff member. */
void admin_staff_faults(const struct settings *settings, bool by_argument,
			const struct faults *faults);

/* Runs a write; its arena and faults are set up here. */
enum err admin_write(struct store *store, struct store_write *write, struct arena *arena,
		     struct faults *faults);

/* "docket COMMAND: nothing to change: give --email, …", of the options that are its own. */
enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count);

/* Makes the file, mode 0600, which must not be there; else says what is wrong. In the data folder
 * it belongs to the folder's owner. */
bool admin_token_file(const struct settings *settings, const char *file, const char *token);

#endif
