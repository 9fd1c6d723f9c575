/* SPDX-License-Identifier: MIT */
/* docket staff: adds, changes, renames and removes staff members. */
#include <jansson.h>

#include "accounts/accounts.h"
#include "admin_private.h"
#include "records/records.h"

/* A command on a staff member. */
struct staff_command {
	const struct settings *settings;
	struct record_write write;
	struct admin_deed deed;
	struct arena arena;
	struct faults faults;
	struct account account;
	struct staff staff; /* the stored one, after a success */
};

/* Says who was changed, in which change of the history, and what is different now. */
static enum err staff_describe(void *context, json_t **details_out)
{
	const struct record_write *write = context;
	const struct staff *before = write->before, *staff = write->record;
	const struct staff *named = write->action == RECORD_CREATE ? staff : before;
	json_t *details, *changes = NULL;

	if (write->unchanged || (write->action != RECORD_CREATE && !write->found))
		return OK;
	details = json_pack("{sI ss# sI}", "id", (json_int_t)named->record.id, "username",
			    named->username.ptr, (int)named->username.len, "change",
			    (json_int_t)write->write.account->last_change);
	if (write->action == RECORD_UPDATE)
		changes = admin_changes(admin_staff_json(before), admin_staff_json(staff));
	if (!details ||
	    (write->action == RECORD_UPDATE && json_object_set_new(details, "changes", changes))) {
		json_decref(details);
		details = NULL;
	}
	return admin_detail(details, details_out);
}

static void staff_command_init(struct staff_command *command, const struct settings *settings,
			       enum record_action action)
{
	*command = (struct staff_command){.settings = settings};
	record_write_init(&command->write, RECORD_STAFF, action);
	command->write.record = &command->staff;
	command->deed = (struct admin_deed){
		.settings = settings, .describe = staff_describe, .context = &command->write};
}

static enum exit_status staff_missing(const struct settings *settings)
{
	fprintf(settings->err, "docket: there is no staff member \"%s\"\n", settings->argument);
	return EXIT_FAILED;
}

/* Finds the account, and the staff member that the command's argument names. */
static enum exit_status staff_find(struct staff_command *command, struct store *store)
{
	const struct settings *settings = command->settings;
	struct scope *scope = &command->write.write.scope;
	enum err err = OK;

	if (!admin_account(settings, store, &command->arena, &command->account))
		return EXIT_FAILED;
	command->deed.account = command->account.name;
	scope->account_id = command->account.id;
	/* The user name only selects a staff member. It is not checked, because the staff member
	 * may be older than a rule for user names. */
	if (command->write.action != RECORD_CREATE)
		err = store_staff_id(store, scope, slice_of(settings->argument),
				     &command->write.id);
	return err == ERR_NOT_FOUND
		       ? staff_missing(settings)
		       : output_outcome(settings, err, "cannot read the staff members");
}

static void staff_remove_refuse(const struct staff_command *command)
{
	const struct settings *settings = command->settings;

	for (const struct fault *fault = command->faults.first; fault; fault = fault->next)
		fprintf(settings->err,
			"docket %s: the staff member \"%s\" %s; see \"docket help %s\"\n",
			settings->command->name, settings->argument, fault->message,
			settings->command->name);
}

/* Runs the write. On a success the caller prints what it did. */
static enum exit_status staff_run(struct staff_command *command, struct store *store)
{
	const struct settings *settings = command->settings;
	struct store_write *write = &command->write.write;
	enum exit_status status = staff_find(command, store);
	enum err err;

	if (status != EXIT_OK)
		return status;
	err = admin_write(store, write, &command->deed, &command->arena, &command->faults);
	/* Another process may have removed the staff member meanwhile. */
	if (!err && command->write.action != RECORD_CREATE && !command->write.found)
		return staff_missing(settings);
	if (err || !command->faults.count)
		return output_outcome(settings, err, "cannot write the staff member");
	if (command->write.action == RECORD_DELETE)
		staff_remove_refuse(command);
	else
		admin_staff_faults(settings, true, &command->faults);
	return EXIT_FAILED;
}

static enum exit_status staff_command_end(struct staff_command *command, enum exit_status status)
{
	json_decref(command->deed.details);
	arena_release(&command->arena);
	return status;
}

/* Prints `done` and what is different now, or that nothing is. */
static void staff_print_changes(const struct staff_command *command, const char *done)
{
	const struct settings *settings = command->settings;
	const json_t *details = command->deed.details;

	if (details)
		fprintf(settings->err, "%s the staff member \"%s\"\n", done, settings->argument);
	else
		fprintf(settings->err,
			"nothing changed: the staff member \"%s\" has these values already\n",
			settings->argument);
	admin_print_changes(settings, json_object_get(details, "changes"));
}

enum exit_status staff_add(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	struct staff_command add;
	enum exit_status status;

	(void)token_hash;
	staff_command_init(&add, settings, RECORD_CREATE);
	if (!admin_staff(settings, settings->argument, true, &add.staff, &add.write.given))
		return EXIT_USAGE;
	status = staff_run(&add, store);
	if (status == EXIT_OK)
		fprintf(settings->err, "added the staff member \"%s\" with number %lld\n",
			settings->argument, (long long)add.staff.record.id);
	return staff_command_end(&add, status);
}

enum exit_status staff_set(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	static const enum setting fields[] = {SETTING_FIRST_NAME, SETTING_LAST_NAME, SETTING_EMAIL,
					      SETTING_ACCESS};
	struct staff_command set;
	struct staff changes;
	enum exit_status status;

	(void)token_hash;
	staff_command_init(&set, settings, RECORD_UPDATE);
	set.write.changes = &changes;
	if (!admin_staff(settings, NULL, true, &changes, &set.write.given))
		return EXIT_USAGE;
	if (!set.write.given)
		return admin_nothing(settings, fields, COUNT_OF(fields));
	status = staff_run(&set, store);
	if (status == EXIT_OK)
		staff_print_changes(&set, "changed");
	return staff_command_end(&set, status);
}

enum exit_status staff_rename(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	struct staff_command rename;
	struct staff changes;
	enum exit_status status;

	(void)token_hash;
	staff_command_init(&rename, settings, RECORD_UPDATE);
	rename.write.changes = &changes;
	if (!admin_staff(settings, settings->second, true, &changes, &rename.write.given))
		return EXIT_USAGE;
	status = staff_run(&rename, store);
	if (status == EXIT_OK)
		staff_print_changes(&rename, "renamed");
	return staff_command_end(&rename, status);
}

enum exit_status staff_remove(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	struct staff_command removal;
	enum exit_status status;

	(void)token_hash;
	if (!settings->number[SETTING_YES]) {
		fprintf(settings->err,
			"docket %s: this deletes the staff member \"%s\" for good; add --yes\n",
			settings->command->name, settings->argument);
		return EXIT_USAGE;
	}
	staff_command_init(&removal, settings, RECORD_DELETE);
	status = staff_run(&removal, store);
	if (status == EXIT_OK)
		fprintf(settings->err, "removed the staff member \"%s\" with number %lld\n",
			settings->argument, (long long)removal.write.id);
	return staff_command_end(&removal, status);
}
