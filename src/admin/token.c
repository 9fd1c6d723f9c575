/* SPDX-License-Identifier: MIT */
/* docket token: adds, lists and revokes API tokens. */
#include <jansson.h>

#include "accounts/accounts.h"
#include "accounts/token_addresses.h"
#include "accounts/token_rotate.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "admin_private.h"

#define LABEL_CHARS 64
#define OVERLAP_DAYS_MAX 3650

static json_t *token_details(const struct token *token)
{
	struct buf scopes = {0};
	json_t *details;

	token_scopes_write(token->scopes, ",", &scopes);
	details = json_pack("{ss# so ss# ss# sb}", "label", token->label.ptr, (int)token->label.len,
			    "expires_at", output_time(token->expires_at), "scopes", scopes.ptr,
			    (int)scopes.len, "addresses",
			    token->addresses.len ? token->addresses.ptr : "",
			    (int)token->addresses.len, "lenient", token->lenient);
	buf_release(&scopes);
	return details;
}

/* What the audit log has of a token: never its secret. */
static enum err token_describe(void *context, json_t **details_out)
{
	const struct token_write *write = context;
	const struct slice label = write->token->label;

	if (write->found == write->adds)
		return OK;
	return admin_detail(write->adds ? token_details(write->token)
					: json_pack("{ss#}", "label", label.ptr, (int)label.len),
			    details_out);
}

/* Runs a write on the token. */
static enum exit_status token_run_write(const struct settings *settings, struct store *store,
					struct token_write *write, const struct token *token)
{
	struct arena arena = {0};
	struct account account;
	struct faults faults;
	struct admin_deed deed = {
		.settings = settings, .describe = token_describe, .context = write};
	enum exit_status status = EXIT_FAILED;

	if (admin_account(settings, store, &arena, &account)) {
		write->token = token;
		write->write.scope.account_id = account.id;
		deed.account = account.name;
		status = output_outcome(settings,
					admin_write(store, &write->write, &deed, &arena, &faults),
					"cannot write the token");
		json_decref(deed.details);
	}
	arena_release(&arena);
	return status;
}

static bool is_label(const char *text)
{
	struct slice label = slice_of(text);

	return text_is_utf8(label) && !text_is_blank(label) && !text_has_control(label) &&
	       text_chars(label) <= LABEL_CHARS;
}

/* On standard error: standard output has the token alone. */
static void token_print_added(const struct settings *settings, const struct token *token)
{
	char expires[TIMESTAMP_LEN];
	struct buf scopes = {0};

	token_scopes_write(token->scopes, ", ", &scopes);
	fprintf(settings->err, "made the token \"%s\": its scopes are %.*s, ", settings->argument,
		(int)scopes.len, scopes.ptr ? scopes.ptr : "");
	buf_release(&scopes);
	if (token->addresses.len)
		fprintf(settings->err, "it works only from %.*s, ", (int)token->addresses.len,
			token->addresses.ptr);
	if (token->lenient)
		fprintf(settings->err, "unknown fields and parameters are ignored, ");
	if (token->expires_at == TIME_NONE) {
		fprintf(settings->err, "and it never expires\n");
		return;
	}
	timestamp_write(token->expires_at, expires);
	fprintf(settings->err, "and it expires at %.*s\n", TIMESTAMP_LEN, expires);
}

/* Sets what --expires says; without it, leaves the time as it is. */
static enum exit_status token_take_expires(const struct settings *settings, int64_t *expires_at)
{
	if (!admin_time(settings, SETTING_EXPIRES, TIME_LAST, expires_at))
		return EXIT_USAGE;
	if (settings->text[SETTING_EXPIRES] && *expires_at <= clock_now(&system_clock))
		return settings_wrong(settings, SETTING_EXPIRES, "is in the past");
	return EXIT_OK;
}

/* Sets the scopes that --read-only or --scopes gives. */
static enum exit_status token_take_scopes(const struct settings *settings, struct token *token)
{
	const char *scopes = settings->text[SETTING_SCOPES];
	struct slice wrong;

	if (scopes && settings->number[SETTING_READ_ONLY])
		return settings_wrong(settings, SETTING_SCOPES,
				      "cannot be together with --read-only, which is all:read");
	if (settings->number[SETTING_READ_ONLY])
		token->scopes = TOKEN_SCOPES_READ_ALL;
	if (!scopes || token_scopes_read(scopes, &token->scopes, &wrong))
		return EXIT_OK;
	wrong = text_front(wrong, SHOWN_CHARS);
	return settings_wrong(settings, SETTING_SCOPES,
			      "must be a comma list of scopes such as tasks:read,cases:write; "
			      "\"%.*s\" is not one; \"docket help token add\" lists them",
			      (int)wrong.len, wrong.ptr);
}

static enum exit_status token_take_addresses(const struct settings *settings, struct token *token)
{
	const char *addresses = settings->text[SETTING_ADDRESSES];
	struct slice wrong;

	if (!addresses)
		return EXIT_OK;
	token->addresses = slice_of(addresses);
	if (token_addresses_are_valid(addresses, &wrong))
		return EXIT_OK;
	wrong = text_front(wrong, SHOWN_CHARS);
	return settings_wrong(settings, SETTING_ADDRESSES,
			      "must be at most %d addresses or networks such as "
			      "192.0.2.7,192.0.2.0/24,2001:db8::/32; \"%.*s\" is wrong or too many",
			      TOKEN_ADDRESSES_MAX, (int)wrong.len, wrong.ptr);
}

enum exit_status token_add(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	struct token_write add;
	struct token token;
	enum exit_status status;

	token_init(&token, settings->argument, token_hash);
	token.lenient = settings->number[SETTING_LENIENT];
	if (!is_label(settings->argument)) {
		fprintf(settings->err,
			"docket %s: the label must be 1 to %d characters, not only blanks and "
			"with no control characters\n",
			settings->command->name, LABEL_CHARS);
		return EXIT_USAGE;
	}
	status = token_take_expires(settings, &token.expires_at);
	if (status == EXIT_OK)
		status = token_take_scopes(settings, &token);
	if (status == EXIT_OK)
		status = token_take_addresses(settings, &token);
	if (status != EXIT_OK)
		return status;
	token_add_init(&add);
	status = token_run_write(settings, store, &add, &token);
	if (status == EXIT_OK && add.found) {
		fprintf(settings->err, "docket: there is a token \"%s\" already\n",
			settings->argument);
		status = EXIT_FAILED;
	} else if (status == EXIT_OK) {
		token_print_added(settings, &token);
	}
	return status;
}

enum exit_status token_revoke(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	struct token token = {.label = slice_of(settings->argument)};
	struct token_write revoke;
	enum exit_status status;

	(void)token_hash;
	token_revoke_init(&revoke);
	status = token_run_write(settings, store, &revoke, &token);
	if (status == EXIT_OK && !revoke.found) {
		fprintf(settings->err, "docket: there is no token \"%s\"\n", settings->argument);
		status = EXIT_FAILED;
	} else if (status == EXIT_OK) {
		fprintf(settings->err, "revoked the token \"%s\": it stopped working\n",
			settings->argument);
	}
	return status;
}

static void token_tell_rotated(const struct settings *settings, const struct token_rotate *rotate)
{
	char time[TIMESTAMP_LEN];

	fprintf(settings->err, "rotated the token \"%s\": the old one ", settings->argument);
	if (!rotate->overlap) {
		fprintf(settings->err, "stopped working");
		if (rotate->older)
			fprintf(settings->err, ", and so did %lld that %s rotated before",
				(long long)rotate->older, rotate->older == 1 ? "was" : "were");
		fprintf(settings->err, "\n");
		return;
	}
	timestamp_write(rotate->old.expires_at, time);
	fprintf(settings->err, "is \"%.*s\"%s %.*s\n", (int)rotate->old.label.len,
		rotate->old.label.ptr,
		rotate->old.expires_at > rotate->write.now ? " and works until"
							   : ", which expired at",
		TIMESTAMP_LEN, time);
}

static enum err rotate_describe(void *context, json_t **details_out)
{
	const struct token_rotate *rotate = context;

	if (!rotate->found || rotate->taken)
		return OK;
	return admin_detail(json_pack("{ss# so ss# so sI}", "label", rotate->label.ptr,
				      (int)rotate->label.len, "expires_at",
				      output_time(rotate->token.expires_at), "old_label",
				      rotate->old.label.ptr, (int)rotate->old.label.len,
				      "old_expires_at", output_time(rotate->old.expires_at),
				      "older_revoked", (json_int_t)rotate->older),
			    details_out);
}

/* Runs the write, and says what it did. */
static enum exit_status token_run_rotate(const struct settings *settings, struct store *store,
					 struct token_rotate *rotate, struct slice account,
					 struct arena *arena)
{
	struct admin_deed deed = {.settings = settings,
				  .account = account,
				  .describe = rotate_describe,
				  .context = rotate};
	struct faults faults;
	enum exit_status status =
		output_outcome(settings, admin_write(store, &rotate->write, &deed, arena, &faults),
			       "cannot write the token");

	json_decref(deed.details);
	if (status != EXIT_OK)
		return status;
	if (!rotate->found)
		fprintf(settings->err, "docket: there is no token \"%s\"\n", settings->argument);
	else if (rotate->taken)
		fprintf(settings->err,
			"docket: the token \"%s\" was rotated a moment ago: try again in a second\n",
			settings->argument);
	else
		token_tell_rotated(settings, rotate);
	return rotate->found && !rotate->taken ? EXIT_OK : EXIT_FAILED;
}

enum exit_status token_rotate(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	const char *overlap = settings->text[SETTING_OVERLAP];
	struct arena arena = {0};
	struct account account;
	struct token_rotate rotate;
	enum exit_status status;

	token_rotate_init(&rotate);
	rotate.label = slice_of(settings->argument);
	memcpy(rotate.hash, token_hash, TOKEN_HASH_BYTES);
	if (!settings_duration(overlap, (int64_t)OVERLAP_DAYS_MAX * 24 * 60 * 60, &rotate.overlap))
		return settings_wrong(
			settings, SETTING_OVERLAP,
			"must be a duration such as 30m, 12h or 7d, at most %dd, or 0; "
			"got \"%s\"",
			OVERLAP_DAYS_MAX, overlap);
	status = token_take_expires(settings, &rotate.expires_at);
	if (status != EXIT_OK)
		return status;
	status = EXIT_FAILED;
	if (admin_account(settings, store, &arena, &account)) {
		rotate.write.scope.account_id = account.id;
		status = token_run_rotate(settings, store, &rotate, account.name, &arena);
	}
	arena_release(&arena);
	return status;
}

static enum err token_append(void *context, const void *record)
{
	const struct token *token = record;
	struct buf scopes = {0};
	json_t *row;

	token_scopes_write(token->scopes, ",", &scopes);
	row = json_pack("{ss# so so sb ss# ss# sb so}", "label", token->label.ptr,
			(int)token->label.len, "created_at", output_time(token->created_at),
			"expires_at", output_time(token->expires_at), "read_only",
			token_scopes_only_read(token->scopes), "scopes", scopes.ptr,
			(int)scopes.len, "addresses",
			token->addresses.len ? token->addresses.ptr : "", (int)token->addresses.len,
			"lenient", token->lenient, "last_used_at",
			output_time(token->last_used_at));
	buf_release(&scopes);
	return json_array_append_new(context, row) ? ERR_NOMEM : OK;
}

enum exit_status token_list(const struct settings *settings, struct store *store,
			    const unsigned char *token_hash)
{
	struct arena arena = {0};
	struct account account;
	enum exit_status status = EXIT_FAILED;

	(void)token_hash;
	if (admin_account(settings, store, &arena, &account)) {
		const struct scope scope = {.account_id = account.id};
		json_t *rows = json_array();
		enum err err = rows ? store_tokens(store, &scope, token_append, rows) : ERR_NOMEM;

		status = err ? output_outcome(settings, err, "cannot read the tokens")
			     : output_list(settings, "tokens", json_incref(rows));
		json_decref(rows);
	}
	arena_release(&arena);
	return status;
}
