/* SPDX-License-Identifier: MIT */
/* What the commands on accounts share. */
#ifndef ADMIN_ADMIN_PRIVATE_H
#define ADMIN_ADMIN_PRIVATE_H

#include "admin/admin.h"
#include "model/staff.h"
#include "store/store.h"

/* Whether `name` is a valid name of an account. If not, prints a message. */
bool admin_account_name(const struct settings *settings, const char *name);

/* Reads a staff member from the settings; `given_out` has the fields that were given. False, with
 * messages, if something is wrong. `by_argument`: `username` is the command's argument, and not an
 * option. */
bool admin_staff(const struct settings *settings, const char *username, bool by_argument,
		 struct staff *staff_out, uint64_t *given_out);

/* Prints the faults of a staff member. */
void admin_staff_faults(const struct settings *settings, bool by_argument,
			const struct faults *faults);

/* Sets the arena and the faults of a write, runs it and waits for it. */
enum err admin_write(struct store *store, struct store_write *write, struct arena *arena,
		     struct faults *faults);

/* Prints "docket COMMAND: nothing to change: give --email, …" with the names of `options`. */
enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count);

/* Writes the token to a new file, mode 0600. In the data folder it belongs to the folder's owner.
 * False, with a message, if this fails or the file exists. */
bool admin_token_file(const struct settings *settings, const char *file, const char *token);

#endif
