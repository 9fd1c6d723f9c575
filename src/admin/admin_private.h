/* SPDX-License-Identifier: MIT */
/* What the commands on accounts share. */
#ifndef ADMIN_ADMIN_PRIVATE_H
#define ADMIN_ADMIN_PRIVATE_H

#include "admin/admin.h"
#include "base/timefmt.h"
#include "model/staff.h"
#include "store/store.h"

/* Whether `name` is a valid name of an account. If not, prints a message. */
bool admin_account_name(const struct settings *settings, const char *name);

/* Reads a staff member from the settings; `given_out` has the fields that were given. False, with
 * messages, if something is wrong. `by_argument`: `username` is the command's argument, and not an
 * option. */
bool admin_staff(const struct settings *settings, const char *username, bool by_argument,
		 struct staff *staff_out, uint64_t *given_out);

/* A staff member as "docket staff list" shows it. NULL: memory ran out. */
struct json_t *admin_staff_json(const struct staff *staff);

/* Prints the faults of a staff member. */
void admin_staff_faults(const struct settings *settings, bool by_argument,
			const struct faults *faults);

/* What a command does, for the audit log and for the user. */
struct admin_deed {
	const struct settings *settings;
	struct slice account; /* its name; len 0: it concerns no account */
	/* Called when the write has decided what to do, maybe more than once. Makes an object that
	 * says what that is. Leaves `details_out` alone if there is nothing to do: then there is no
	 * entry in the log. Never puts a secret into it. NULL: the command says it all. */
	enum err (*describe)(void *context, struct json_t **details_out);
	void *context;

	/* Once done; the caller releases it. NULL: nothing was done. */
	struct json_t *details;
};

/* Sets the arena and the faults of a write, runs it together with its entry in the audit log, and
 * waits for it. */
enum err admin_write(struct store *store, struct store_write *write, struct admin_deed *deed,
		     struct arena *arena, struct faults *faults);

/* Gives `details` to `details_out`. NULL: memory ran out. */
enum err admin_detail(struct json_t *details, struct json_t **details_out);

/* The members of `after` that differ in `before`, each as {"from": …, "to": …}. Releases both.
 * NULL: memory ran out. */
struct json_t *admin_changes(struct json_t *before, struct json_t *after);

/* Prints a line for each of the changes. */
void admin_print_changes(const struct settings *settings, const struct json_t *changes);

/* Prints "docket COMMAND: nothing to change: give --email, …" with the names of `options`. */
enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count);

/* Reads a setting that is a date or a time. If it is not set, `at_out` is untouched. False, with a
 * message, if it is neither. */
bool admin_time(const struct settings *settings, enum setting setting, enum time_bound bound,
		int64_t *at_out);

/* Writes the token to a new file, mode 0600. In the data folder it belongs to the folder's owner.
 * False, with a message, if this fails or the file exists. */
bool admin_token_file(const struct settings *settings, const char *file, const char *token);

#endif
