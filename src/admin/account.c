/* SPDX-License-Identifier: MIT */
/* docket account: adds, lists, changes and removes accounts. */
#include <jansson.h>

#include "accounts/accounts.h"
#include "base/log.h"
#include "base/text.h"
#include "admin_private.h"

bool admin_account_name(const struct settings *settings, const char *name)
{
	static const char wrong[] = "must be 1 to 63 lower-case letters, digits and hyphens, with "
				    "no hyphen at either end";

	if (account_name_is_valid(slice_of(name)))
		return true;
	if (settings->argument)
		fprintf(settings->err, "docket %s: the name %s\n", settings->command->name, wrong);
	else
		settings_wrong(settings, SETTING_ACCOUNT, "%s", wrong);
	return false;
}

static enum err account_describe_add(void *context, json_t **details_out)
{
	const struct account_create *create = context;
	const struct slice username = create->staff->username, label = create->token.label;

	return create->exists ? OK
			      : admin_detail(json_pack("{ss# ss#}", "username", username.ptr,
						       (int)username.len, "token", label.ptr,
						       (int)label.len),
					     details_out);
}

enum exit_status account_add(const struct settings *settings, struct store *store,
			     const unsigned char *token_hash)
{
	struct account_create create;
	struct admin_deed deed = {.settings = settings,
				  .account = slice_of(settings->argument),
				  .describe = account_describe_add,
				  .context = &create};
	struct arena arena = {0};
	struct faults faults;
	struct staff staff;
	uint64_t given;
	enum err err;

	if (!admin_account_name(settings, settings->argument) ||
	    !admin_staff(settings, settings->text[SETTING_USERNAME], false, &staff, &given))
		return EXIT_USAGE;
	if (settings->serving && !settings->serving_domain) {
		fprintf(settings->err,
			"docket: restart docket serve with --base-domain before adding a "
			"second account\n");
		return EXIT_FAILED;
	}
	account_create_init(&create);
	create.name = settings->argument;
	create.staff = &staff;
	token_init(&create.token, "made with the account", token_hash);
	err = admin_write(store, &create.write, &deed, &arena, &faults);
	json_decref(deed.details);
	arena_release(&arena);
	if (!err && create.exists) {
		fprintf(settings->err, "docket: there is an account \"%s\" already\n", create.name);
		return EXIT_FAILED;
	}
	if (!err)
		fprintf(settings->err, "made the account \"%s\" with the staff member \"%s\"\n",
			create.name, settings->text[SETTING_USERNAME]);
	return output_outcome(settings, err, "cannot make the account");
}

static json_t *account_json(const struct account *account)
{
	char hour[24];

	snprintf(hour, sizeof(hour), "%02d:%02d", account->alert_minute / 60,
		 account->alert_minute % 60);
	return json_pack("{ss# ss# sb ss# ss ss#}", "name", account->name.ptr,
			 (int)account->name.len, "country", account->country.ptr,
			 (int)account->country.len, "require_case", account->require_case, "expand",
			 account->expand.ptr, (int)account->expand.len, "alert_hour", hour,
			 "time_zone", account->time_zone.ptr, (int)account->time_zone.len);
}

static enum err account_append(void *context, const void *record)
{
	return json_array_append_new(context, account_json(record)) ? ERR_NOMEM : OK;
}

enum exit_status account_list(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	struct arena arena = {0};
	json_t *rows = json_array();
	enum err err = rows ? store_accounts(store, &arena, account_append, rows) : ERR_NOMEM;

	(void)token_hash;
	arena_release(&arena);
	if (!err)
		return output_list(settings, "accounts", rows);
	json_decref(rows);
	return output_outcome(settings, err, "cannot read the accounts");
}

bool admin_minute(const char *text, int32_t *minute_out)
{
	int hour, minute, end = 0;

	if (strspn(text, "0123456789:") != strlen(text) || strlen(text) != 5 ||
	    sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || end != 5 || hour > 23 ||
	    minute > 59)
		return false;
	*minute_out = hour * 60 + minute;
	return true;
}

/* A country in capitals, as the API takes it; "" if memory runs out. */
static struct slice country_in_capitals(struct arena *arena, const char *text)
{
	char *copy = arena_copy(arena, slice_of(text));

	for (char *at = copy; at && *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
	return copy ? slice_of(copy) : SLICE("");
}

/* The settings of an account, and their options. */
static const struct {
	enum setting setting;
	enum account_setting given;
} account_options[] = {{SETTING_COUNTRY, ACCOUNT_COUNTRY},
		       {SETTING_EXPAND, ACCOUNT_EXPAND},
		       {SETTING_TIME_ZONE, ACCOUNT_TIME_ZONE},
		       {SETTING_REQUIRE_CASE, ACCOUNT_REQUIRE_CASE},
		       {SETTING_ALERT_HOUR, ACCOUNT_ALERT_MINUTE}};

static unsigned account_given(const struct settings *settings)
{
	unsigned given = 0;

	for (size_t i = 0; i < COUNT_OF(account_options); i++)
		if (settings->text[account_options[i].setting])
			given |= account_options[i].given;
	return given;
}

/* Puts the options that were given into the account. False, with messages, if one is wrong. */
static bool account_take_options(const struct settings *settings, struct arena *arena,
				 struct account *account)
{
	static const struct {
		const char *field;
		enum setting setting;
	} options[] = {{"country", SETTING_COUNTRY},
		       {"expand", SETTING_EXPAND},
		       {"time_zone", SETTING_TIME_ZONE}};
	const char *const *text = settings->text;
	struct faults faults;

	faults_init(&faults, arena);
	if (text[SETTING_COUNTRY])
		account->country = country_in_capitals(arena, text[SETTING_COUNTRY]);
	if (text[SETTING_EXPAND])
		account->expand = strcmp(text[SETTING_EXPAND], "none") == 0
					  ? SLICE("")
					  : slice_of(text[SETTING_EXPAND]);
	if (text[SETTING_TIME_ZONE])
		account->time_zone = slice_of(text[SETTING_TIME_ZONE]);
	if (text[SETTING_REQUIRE_CASE])
		account->require_case = settings->number[SETTING_REQUIRE_CASE];
	account_check(account, &faults);
	for (const struct fault *fault = faults.first; fault; fault = fault->next)
		for (size_t i = 0; i < COUNT_OF(options); i++)
			if (strcmp(fault->field, options[i].field) == 0)
				settings_wrong(settings, options[i].setting, "%s", fault->message);
	if (text[SETTING_ALERT_HOUR] &&
	    !admin_minute(text[SETTING_ALERT_HOUR], &account->alert_minute)) {
		settings_wrong(settings, SETTING_ALERT_HOUR,
			       "must be a time of day such as 09:00; got \"%s\"",
			       text[SETTING_ALERT_HOUR]);
		return false;
	}
	return faults.count == 0 && !faults.nomem;
}

static bool account_find(const struct settings *settings, struct store *store, struct arena *arena,
			 struct account *account_out)
{
	enum err err = store_account(store, settings->argument, arena, account_out);

	if (err == ERR_NOT_FOUND)
		fprintf(settings->err, "docket: there is no account \"%s\"\n", settings->argument);
	else
		output_outcome(settings, err, "cannot read the account");
	return err == OK;
}

static enum err account_describe_set(void *context, json_t **details_out)
{
	const struct account_set *set = context;
	json_t *changes = admin_changes(account_json(&set->before), account_json(&set->after));

	if (!changes || json_object_size(changes))
		return admin_detail(changes ? json_pack("{so}", "changes", changes) : NULL,
				    details_out);
	json_decref(changes);
	return OK;
}

static void account_print_set(const struct settings *settings, const json_t *details)
{
	if (!details) {
		fprintf(settings->err,
			"nothing changed: the account \"%s\" has these values already\n",
			settings->argument);
		return;
	}
	fprintf(settings->err, "changed the account \"%s\"\n", settings->argument);
	admin_print_changes(settings, json_object_get(details, "changes"));
}

static enum exit_status account_run_set(const struct settings *settings, struct store *store,
					struct arena *arena, struct account *account,
					unsigned given)
{
	struct account_set set;
	struct admin_deed deed = {.settings = settings,
				  .account = account->name,
				  .describe = account_describe_set,
				  .context = &set};
	enum exit_status status;
	struct faults faults;

	account_set_init(&set);
	set.account = account;
	set.given = given;
	set.write.scope.account_id = account->id;
	if (!account_take_options(settings, arena, account))
		return EXIT_USAGE;
	status = output_outcome(settings, admin_write(store, &set.write, &deed, arena, &faults),
				"cannot change the account");
	if (status == EXIT_OK)
		account_print_set(settings, deed.details);
	json_decref(deed.details);
	return status;
}

enum exit_status account_set(const struct settings *settings, struct store *store,
			     const unsigned char *token_hash)
{
	enum setting options[COUNT_OF(account_options)];
	unsigned given = account_given(settings);
	enum exit_status status = EXIT_FAILED;
	struct arena arena = {0};
	struct account account;

	(void)token_hash;
	for (size_t i = 0; i < COUNT_OF(account_options); i++)
		options[i] = account_options[i].setting;
	if (!given)
		return admin_nothing(settings, options, COUNT_OF(options));
	if (account_find(settings, store, &arena, &account))
		status = account_run_set(settings, store, &arena, &account, given);
	arena_release(&arena);
	return status;
}

/* Deletes the account's data. If docket ends meanwhile, this continues at the next start. */
static enum exit_status account_purge(const struct settings *settings, struct store *store)
{
	enum err err = store_purge(store, settings->meanwhile, settings->context);

	return output_outcome(settings, err, "cannot delete the account's data");
}

enum exit_status account_remove(const struct settings *settings, struct store *store,
				const unsigned char *token_hash)
{
	enum exit_status status = EXIT_FAILED;
	struct arena arena = {0};
	struct faults faults;
	struct account account;
	struct store_write write;
	struct admin_deed deed = {.settings = settings};

	(void)token_hash;
	if (!settings->number[SETTING_YES]) {
		fprintf(settings->err,
			"docket %s: this deletes account \"%s\" and all its records for good; add "
			"--yes\n",
			settings->command->name, settings->argument);
		return EXIT_USAGE;
	}
	if (settings->serving && !settings->serving_domain) {
		fprintf(settings->err,
			"docket: docket serve serves only this account: stop it first\n");
		return EXIT_FAILED;
	}
	if (account_find(settings, store, &arena, &account)) {
		account_remove_init(&write);
		write.scope.account_id = account.id;
		deed.account = account.name;
		status =
			output_outcome(settings, admin_write(store, &write, &deed, &arena, &faults),
				       "cannot remove the account");
		json_decref(deed.details);
	}
	if (status == EXIT_OK)
		status = account_purge(settings, store);
	if (status == EXIT_OK)
		fprintf(settings->err, "removed the account \"%s\"\n", settings->argument);
	arena_release(&arena);
	return status;
}
