/* SPDX-License-Identifier: MIT */
/* Staff members as options and as listings: what the commands of docket staff share, and docket
 * staff list. */
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

struct listed {
	json_t *rows;
	struct list_position last;
	size_t count;
};

static json_t *text_json(struct slice text)
{
	return json_stringn(text.len ? text.ptr : "", text.len);
}

json_t *admin_staff_json(const struct staff *staff)
{
	const struct field *level = field_of(&staff_type, "access_level");

	return json_pack("{sI so so so so ss so}", "id", (json_int_t)staff->record.id, "username",
			 text_json(staff->username), "first_name", text_json(staff->first_name),
			 "last_name", text_json(staff->last_name), "email", text_json(staff->email),
			 "access_level", level->choices[staff->access_level], "created_at",
			 output_time(staff->record.created_at));
}

static enum err staff_append(void *context, const void *record)
{
	struct listed *listed = context;
	const struct staff *staff = record;

	listed->count++;
	listed->last = (struct list_position){.id = staff->record.id};
	return json_array_append_new(listed->rows, admin_staff_json(staff)) ? ERR_NOMEM : OK;
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
