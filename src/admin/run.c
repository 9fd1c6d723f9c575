/* SPDX-License-Identifier: MIT */
/* Runs the commands on accounts, and has the functions that they share. Only one process may have a
 * folder open: if docket serves it, that process runs the command (control/control.h). */
#include "admin_private.h"

#include <unistd.h>

#include "accounts/accounts.h"
#include "auth/token.h"
#include "base/log.h"
#include "control/control.h"
#include "place/place.h"

#define QUEUE_LIMIT 16
/* How often to try to open the folder, every 0.1 s. Another command holds the folder for a moment.
 * A process that has just begun to serve it has no socket yet. One that drains has closed its
 * socket, and may drain for 10 s. */
#define TRIES 130

void admin_locate(const struct settings *settings, struct store_config *config)
{
	config->folder = settings->text[SETTING_DATA];
	config->database = settings->text[SETTING_DATABASE];
	config->network_folder = settings->number[SETTING_NETWORK_FOLDER];
	config->clock = &system_clock;
}

bool admin_account(const struct settings *settings, struct store *store, struct arena *arena,
		   struct account *account_out)
{
	const char *name = settings->text[SETTING_ACCOUNT];
	enum err err = store_account(store, name, arena, account_out);

	if (err == ERR_EXISTS)
		fprintf(settings->err,
			"docket: there are several accounts: name one with --account\n");
	else if (err == ERR_NOT_FOUND && name)
		fprintf(settings->err, "docket: there is no account \"%s\"\n", name);
	else if (err == ERR_NOT_FOUND)
		fprintf(settings->err, "docket: there is no account: make one with "
				       "\"docket account add\"\n");
	else if (err)
		fprintf(settings->err, "docket: cannot read the account: %s\n", err_text(err));
	return err == OK;
}

enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count)
{
	fprintf(settings->err, "docket %s: nothing to change: give", settings->command->name);
	for (size_t i = 0; i < count; i++)
		fprintf(settings->err, "%s --%s",
			i == 0          ? ""
			: i + 1 < count ? ","
					: " or",
			settings_name(options[i]));
	fprintf(settings->err, "\n");
	return EXIT_USAGE;
}

/* Runs the command in the process that serves the folder, or in this one if no process does. A
 * PostgreSQL database is open to any process. */
static enum exit_status admin_run_command(const struct settings *settings,
					  const unsigned char *token_hash, bool *unknown_out)
{
	struct store_config config = {.readers = 1, .queue_limit = QUEUE_LIMIT};
	enum exit_status status = EXIT_FAILED;
	struct buf why = {0};
	struct store *store;
	enum err err = ERR_BUSY;

	admin_locate(settings, &config);
	for (int i = 0; i < TRIES && err == ERR_BUSY; i++) {
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		buf_clear(&why);
		err = store_open(&config, &store, &why);
		if (err == ERR_BUSY && config.folder &&
		    !control_ask(settings, token_hash, &status, unknown_out)) {
			buf_release(&why);
			return status;
		}
	}
	if (!err) {
		status = settings->command->admin(settings, store, token_hash);
		store_close(store);
	} else {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	}
	buf_release(&why);
	return status;
}

enum exit_status admin_run(const struct settings *settings)
{
	const char *file = settings->text[SETTING_TOKEN_FILE];
	unsigned char hash[TOKEN_HASH_BYTES];
	char token[TOKEN_CHARS + 1];
	enum exit_status status;
	bool unknown = false;

	if (!settings->command->makes_token)
		return admin_run_command(settings, NULL, &unknown);
	if (auth_init()) {
		log_line("cannot get random numbers from this machine");
		return EXIT_FAILED;
	}
	token_new(token);
	token_hash(slice_of(token), hash);
	/* The file comes first: a token that cannot be handed over is useless. The folder's process
	 * gets only the token's hash. */
	if (file && !admin_token_file(settings, file, token))
		return EXIT_FAILED;
	status = admin_run_command(settings, hash, &unknown);
	if (file && unknown)
		fprintf(settings->err, "if it was, the API token is in %s\n", file);
	else if (file && status != EXIT_OK)
		unlink(file);
	else if (file)
		fprintf(settings->err, "the API token is in %s\n", file);
	else if (status == EXIT_OK)
		fprintf(settings->out, "%s\n", token);
	return status;
}

bool admin_time(const struct settings *settings, enum setting setting, enum time_bound bound,
		int64_t *at_out)
{
	const char *text = settings->text[setting];

	if (!text || timestamp_parse(slice_of(text), bound, at_out))
		return true;
	settings_wrong(settings, setting,
		       "must be a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z; "
		       "got \"%s\"",
		       text);
	return false;
}
