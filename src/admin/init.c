/* SPDX-License-Identifier: MIT */
/* docket init: makes a data folder, or the tables of a database. */
#include <errno.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "auth/token.h"
#include "base/log.h"
#include "admin_private.h"
#include "place/place.h"
#include "store/store.h"

struct token_out {
	const struct settings *settings;
	const char *file; /* NULL: standard output */
	char token[TOKEN_CHARS + 1];
	bool written;
};

static bool token_hand_over(void *context)
{
	struct token_out *out = context;

	if (out->file) {
		out->written = admin_token_file(out->settings, out->file, out->token);
	} else {
		out->written = printf("%s\n", out->token) > 0 && fflush(stdout) == 0;
		if (!out->written)
			log_line("cannot write the API token to standard output: %s",
				 strerror(errno));
	}
	return out->written;
}

static enum exit_status init_make(const struct settings *settings, const char *account,
				  struct staff *staff)
{
	struct store_config config = {.partitions = (unsigned)settings->number[SETTING_PARTITIONS]};
	struct token_out out = {.settings = settings, .file = settings->text[SETTING_TOKEN_FILE]};
	unsigned char hash[TOKEN_HASH_BYTES];
	struct buf why = {0};
	struct store_first first = {
		.account = account,
		.staff = staff,
		.hand_over = token_hand_over,
		.context = &out,
	};
	enum err err;

	admin_locate(settings, &config);
	token_new(out.token);
	token_hash(slice_of(out.token), hash);
	token_init(&first.token, "made by docket init", hash);
	err = store_create(&config, &first, &why);
	if (err) {
		if (why.len)
			log_line("%.*s", (int)why.len, why.ptr);
		if (out.file && out.written)
			unlink(out.file);
	} else {
		fprintf(stderr,
			"made %s with the account \"%s\", the staff member \"%s\" and a calendar\n",
			config.folder ? config.folder : "the tables", first.account,
			settings->text[SETTING_USERNAME]);
		if (out.file)
			fprintf(stderr, "the API token is in %s\n", out.file);
	}
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}

enum exit_status command_init(const struct settings *settings)
{
	const char *account = settings->text[SETTING_ACCOUNT];
	struct staff staff;
	uint64_t given;

	if (!account)
		account = "main";
	if (settings->number[SETTING_PARTITIONS] && !settings->text[SETTING_DATABASE])
		return settings_wrong(settings, SETTING_PARTITIONS,
				      "is only for --database: a folder has no partitions");
	if (!admin_account_name(settings, account) ||
	    !admin_staff(settings, settings->text[SETTING_USERNAME], false, &staff, &given))
		return EXIT_USAGE;
	if (auth_init()) {
		log_line("cannot get random numbers from this machine");
		return EXIT_FAILED;
	}
	return init_make(settings, account, &staff);
}
