/* SPDX-License-Identifier: MIT */
/* Runs the commands that work on the accounts of a folder. */
#include <errno.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/first.h"
#include "store/store.h"

#define QUEUE_LIMIT 16

static enum exit_status on_folder(const struct settings *settings, const unsigned char *token_hash)
{
	const struct store_config config = {
		.folder = settings->text[SETTING_DATA],
		.clock = &system_clock,
		.readers = 1,
		.queue_limit = QUEUE_LIMIT,
	};
	enum exit_status status = EXIT_FAILED;
	struct buf why = {0};
	struct store *store;

	if (store_open(&config, &store, &why)) {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : "");
	} else {
		status = settings->command->admin(settings, store, token_hash);
		store_close(store);
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

	if (!settings->command->makes_token)
		return on_folder(settings, NULL);
	if (auth_init()) {
		log_line("no random numbers can be had on this machine");
		return EXIT_FAILED;
	}
	token_new(token);
	token_hash(slice_of(token), hash);
	/* First: a token that cannot be handed over is of no use. */
	if (file && !token_file_write(file, token))
		return EXIT_FAILED;
	status = on_folder(settings, hash);
	if (file && status != EXIT_OK)
		unlink(file);
	else if (file)
		fprintf(settings->err, "the API token is in %s\n", file);
	else if (status == EXIT_OK)
		fprintf(settings->out, "%s\n", token);
	return status;
}
