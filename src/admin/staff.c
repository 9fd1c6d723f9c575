/* SPDX-License-Identifier: MIT */
/* docket staff: adds, lists and changes staff members. */
#include <jansson.h>

#include "accounts/accounts.h"
#include "base/log.h"
#include "base/text.h"
#include "admin_private.h"
#include "lists/lists.h"
#include "records/records.h"

#define LIST_PAGE 500

static const struct {
	const char *field;
	enum setting setting;
} options[] = {
	{"username", SETTING_USERNAME},   {"first_name", SETTING_FIRST_NAME},
	{"last_name", SETTING_LAST_NAME}, {"email", SETTING_EMAIL},
	{"access_level", SETTING_ACCESS},
};

void admin_staff_faults(const struct settings *settings, bool by_argument,
			const struct faults *faults)
{
	for (const struct fault *fault = faults->first; fault; fault = fault->next) {
		size_t row = 0;

		while (row + 1 < COUNT_OF(options) &&
		       strcmp(options[row].field, fault->field + strlen("staff.")) != 0)
			row++;
		if (row == 0 && by_argument)
			fprintf(settings->err, "docket %s: the user name %s\n",
				settings->command->name, fault->message);
		else
			settings_wrong(settings, options[row].setting, "%s", fault->message);
	}
}

/* Reads one field from its option. */
static void staff_take_option(const struct field *field, const char *value, struct staff *staff,
			      struct faults *faults)
{
	struct slice text = slice_of(value);
	char path[64];

	snprintf(path, sizeof(path), "staff.%s", field->name);
	if (field->type == FIELD_CHOICE) {
		for (int32_t i = 0; field->choices[i]; i++)
			if (slice_is(text, field->choices[i])) {
				*(int32_t *)FIELD_AT(staff, field) = i;
				return;
			}
		faults_add(faults, path, FAULT_CHOICE,
			   "must be full, limited or disabled; got \"%s\"", value);
	} else if (!text_is_utf8(text)) {
		faults_add(faults, path, FAULT_FORMAT, "is not UTF-8");
	} else if (field_check_text(field, text, path, faults)) {
		*(struct slice *)FIELD_AT(staff, field) = text;
	}
}

bool admin_staff(const struct settings *settings, const char *username, bool by_argument,
		 struct staff *staff_out, uint64_t *given_out)
{
	struct arena arena = {0};
	struct faults faults;
	bool fine;

	faults_init(&faults, &arena);
	record_clear(&staff_type, staff_out);
	*given_out = 0;
	for (size_t i = 0; i < COUNT_OF(options); i++) {
		const struct field *field = field_of(&staff_type, options[i].field);
		const char *value = i ? settings->text[options[i].setting] : username;

		if (!value ||
		    !(i == 0 || settings->command->takes & SETTING_BIT(options[i].setting)))
			continue;
		*given_out |= field_bit(&staff_type, options[i].field);
		if (options[i].setting == SETTING_EMAIL && strcmp(value, "none") == 0)
			staff_out->email = SLICE("");
		else
			staff_take_option(field, value, staff_out, &faults);
	}
	staff_type.check(staff_out, NULL, 0, 0, &faults);
	admin_staff_faults(settings, by_argument, &faults);
	fine = faults.count == 0 && !faults.nomem;
	arena_release(&arena);
	return fine;
}

/* Prints why a write of a staff member failed, if it did. */
static enum exit_status staff_outcome(const struct settings *settings, enum err err,
				      const struct faults *faults)
{
	if (!err && faults->count) {
		admin_staff_faults(settings, true, faults);
		return EXIT_FAILED;
	}
	return output_outcome(settings, err, "cannot write the staff member");
}

enum exit_status staff_add(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	struct arena arena = {0};
	struct faults faults;
	struct account account;
	struct record_write add;
	struct staff staff;
	enum exit_status status = EXIT_FAILED;

	(void)token_hash;
	record_write_init(&add, RECORD_STAFF, RECORD_CREATE);
	if (!admin_staff(settings, settings->argument, true, &staff, &add.given))
		return EXIT_USAGE;
	if (admin_account(settings, store, &arena, &account)) {
		add.record = &staff;
		add.write.scope.account_id = account.id;
		status = staff_outcome(settings, admin_write(store, &add.write, &arena, &faults),
				       &faults);
	}
	if (status == EXIT_OK)
		fprintf(settings->err, "added the staff member \"%s\" with number %lld\n",
			settings->argument, (long long)staff.record.id);
	arena_release(&arena);
	return status;
}

static enum exit_status staff_update(const struct settings *settings, struct store *store,
				     struct arena *arena, const struct staff *changes,
				     uint64_t given)
{
	struct record_write write;
	struct staff staff;
	struct faults faults;
	struct account account;
	enum err err;

	if (!admin_account(settings, store, arena, &account))
		return EXIT_FAILED;
	record_write_init(&write, RECORD_STAFF, RECORD_UPDATE);
	write.record = &staff;
	write.changes = changes;
	write.given = given;
	write.write.scope.account_id = account.id;
	err = store_staff_id(store, &write.write.scope, changes->username, &write.id);
	if (err == ERR_NOT_FOUND) {
		fprintf(settings->err, "docket: there is no staff member \"%s\"\n",
			settings->argument);
		return EXIT_FAILED;
	}
	if (!err)
		err = admin_write(store, &write.write, arena, &faults);
	else
		faults_init(&faults, arena);
	return staff_outcome(settings, err, &faults);
}

enum exit_status staff_set(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	static const enum setting fields[] = {SETTING_FIRST_NAME, SETTING_LAST_NAME, SETTING_EMAIL,
					      SETTING_ACCESS};
	struct arena arena = {0};
	struct staff changes;
	uint64_t given;
	enum exit_status status;

	(void)token_hash;
	if (!admin_staff(settings, NULL, true, &changes, &given))
		return EXIT_USAGE;
	/* The user name only selects a staff member. It is not checked, because the staff member
	 * may be older than a rule for user names. */
	changes.username = slice_of(settings->argument);
	if (!given)
		return admin_nothing(settings, fields, COUNT_OF(fields));
	status = staff_update(settings, store, &arena, &changes, given);
	if (status == EXIT_OK)
		fprintf(settings->err, "changed the staff member \"%s\"\n", settings->argument);
	arena_release(&arena);
	return status;
}

struct listed {
	json_t *rows;
	struct list_position last;
	size_t count;
};

static json_t *text_json(struct slice text)
{
	return json_stringn(text.len ? text.ptr : "", text.len);
}

static enum err staff_append(void *context, const void *record)
{
	struct listed *listed = context;
	const struct staff *staff = record;
	const struct field *level = field_of(&staff_type, "access_level");
	json_t *row = json_pack("{sI so so so so ss so}", "id", (json_int_t)staff->record.id,
				"username", text_json(staff->username), "first_name",
				text_json(staff->first_name), "last_name",
				text_json(staff->last_name), "email", text_json(staff->email),
				"access_level", level->choices[staff->access_level], "created_at",
				output_time(staff->record.created_at));

	listed->count++;
	listed->last = (struct list_position){.id = staff->record.id};
	return json_array_append_new(listed->rows, row) ? ERR_NOMEM : OK;
}

static enum err staff_append_all(struct store *store, const struct scope *scope,
				 struct arena *arena, struct listed *listed)
{
	struct list_position after = {0};
	struct list_read page;
	struct list_query query = {
		.sort = field_of(&staff_type, "id"), .limit = LIST_PAGE, .after = &after};
	enum err err;

	list_read_init(&page, RECORD_STAFF, arena);
	page.scope = *scope;
	page.query = &query;
	page.sink = (struct list_sink){.on_record = staff_append, .context = listed};
	do {
		err = store_do(store, &page.read);
		after = listed->last;
	} while (page.more && !err);
	return err;
}

enum exit_status staff_list(const struct settings *settings, struct store *store,
			    const unsigned char *token_hash)
{
	struct arena arena = {0};
	struct account account;
	struct listed listed = {.rows = NULL};
	enum exit_status status = EXIT_FAILED;

	(void)token_hash;
	if (admin_account(settings, store, &arena, &account)) {
		const struct scope scope = {.account_id = account.id};
		enum err err;

		listed.rows = json_array();
		err = listed.rows ? staff_append_all(store, &scope, &arena, &listed) : ERR_NOMEM;
		status = err ? output_outcome(settings, err, "cannot read the staff members")
			     : output_list(settings, "staff members", json_incref(listed.rows));
		json_decref(listed.rows);
	}
	arena_release(&arena);
	return status;
}
