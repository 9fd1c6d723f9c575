/* SPDX-License-Identifier: MIT */
/* docket token: adds, lists and revokes API tokens. */
#include <jansson.h>

#include "accounts/accounts.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "admin_private.h"

#define LABEL_CHARS 64

/* What the audit log has of a token: never its secret. */
static enum err token_describe(void *context, json_t **details_out)
{
	const struct token_write *write = context;
	const struct token *token = write->token;

	if (write->found == write->adds)
		return OK;
	return admin_detail(write->adds ? json_pack("{ss# so sb sb}", "label", token->label.ptr,
						    (int)token->label.len, "expires_at",
						    output_time(token->expires_at), "read_only",
						    token->read_only, "lenient", token->lenient)
					: json_pack("{ss#}", "label", token->label.ptr,
						    (int)token->label.len),
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

	fprintf(settings->err, "made the token \"%s\": it may %s, ", settings->argument,
		token->read_only ? "only read" : "read and write");
	if (token->lenient)
		fprintf(settings->err, "unknown fields and parameters are ignored, ");
	if (token->expires_at == TIME_NONE) {
		fprintf(settings->err, "and it never expires\n");
		return;
	}
	timestamp_write(token->expires_at, expires);
	fprintf(settings->err, "and it expires at %.*s\n", TIMESTAMP_LEN, expires);
}

enum exit_status token_add(const struct settings *settings, struct store *store,
			   const unsigned char *token_hash)
{
	const char *expires = settings->text[SETTING_EXPIRES];
	struct token_write add;
	struct token token;
	enum exit_status status;

	token_init(&token, settings->argument, token_hash);
	token.read_only = settings->number[SETTING_READ_ONLY];
	token.lenient = settings->number[SETTING_LENIENT];
	if (!is_label(settings->argument)) {
		fprintf(settings->err,
			"docket %s: the label must be 1 to %d characters, not only blanks and "
			"with no control characters\n",
			settings->command->name, LABEL_CHARS);
		return EXIT_USAGE;
	}
	if (expires && !timestamp_parse(slice_of(expires), TIME_LAST, &token.expires_at))
		return settings_wrong(
			settings, SETTING_EXPIRES,
			"must be a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z; got "
			"\"%s\"",
			expires);
	if (token.expires_at != TIME_NONE && token.expires_at <= clock_now(&system_clock))
		return settings_wrong(settings, SETTING_EXPIRES, "is in the past");
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

static enum err token_append(void *context, const void *record)
{
	const struct token *token = record;
	json_t *row =
		json_pack("{ss# so so sb sb so}", "label", token->label.ptr, (int)token->label.len,
			  "created_at", output_time(token->created_at), "expires_at",
			  output_time(token->expires_at), "read_only", token->read_only, "lenient",
			  token->lenient, "last_used_at", output_time(token->last_used_at));

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
