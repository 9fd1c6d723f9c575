/* SPDX-License-Identifier: MIT */
/* docket serve --ephemeral: makes its folder and removes it. */
#include "accounts/accounts.h"
#include "ephemeral.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "admin/admin.h"
#include "auth/token.h"
#include "base/log.h"
#include "demo/demo.h"
#include "model/staff.h"
#include "place/place.h"
#include "store/store.h"

#define USERNAME "admin"
#define TASKS 200
#define TOKEN_LEAST 20

/* A token68 (RFC 9110, section 11.2), which fits in every header and shell. Base64, hexadecimal
 * digits and most secrets of a CI have this form. */
static bool is_ephemeral_token(const char *token)
{
	size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~+/=");

	return !token[len] && len >= TOKEN_LEAST && len < EPHEMERAL_TOKEN_BYTES;
}

bool ephemeral_check(const struct settings *settings)
{
	const char *token = settings->text[SETTING_TOKEN];
	bool ephemeral = settings->number[SETTING_EPHEMERAL];

	if (!ephemeral && token)
		settings_wrong(settings, SETTING_TOKEN, "can only be given with --ephemeral");
	else if (!ephemeral && !settings->text[SETTING_DATA] && !settings->text[SETTING_DATABASE])
		settings_missing(settings, SETTING_DATA);
	else if (ephemeral && settings->text[SETTING_DATABASE])
		settings_wrong(settings, SETTING_DATABASE,
			       "cannot be given with --ephemeral, which makes a folder of its own");
	else if (ephemeral && settings->text[SETTING_DATA])
		settings_wrong(settings, SETTING_DATA,
			       "cannot be given with --ephemeral, which makes a folder of its own");
	else if (token && !is_ephemeral_token(token))
		settings_wrong(settings, SETTING_TOKEN,
			       "must have %d to %d letters, digits or -._~+/=", TOKEN_LEAST,
			       EPHEMERAL_TOKEN_BYTES - 1);
	else
		return true;
	return false;
}

static bool token_is_known(void *context)
{
	(void)context;
	return true;
}

static bool ephemeral_make_account(const struct ephemeral *ephemeral)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct buf why = {0};
	struct staff staff;
	struct store_first first = {
		.account = "main", .staff = &staff, .hand_over = token_is_known};
	const struct store_config config = {.folder = ephemeral->folder, .clock = &system_clock};
	enum err err;

	record_clear(&staff_type, &staff);
	staff.username = SLICE(USERNAME);
	token_hash(slice_of(ephemeral->token), hash);
	token_init(&first.token, "made by docket serve --ephemeral", hash);
	err = store_create(&config, &first, &why);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	buf_release(&why);
	return !err;
}

bool ephemeral_make(const struct settings *settings, struct ephemeral *ephemeral)
{
	const char *parent = getenv("TMPDIR"), *given = settings->text[SETTING_TOKEN];

	if (given)
		snprintf(ephemeral->token, sizeof(ephemeral->token), "%s", given);
	else
		token_new(ephemeral->token);
	snprintf(ephemeral->folder, sizeof(ephemeral->folder), "%s/docket-XXXXXX",
		 parent && *parent ? parent : "/tmp");
	if (!mkdtemp(ephemeral->folder)) {
		log_line("cannot make a folder in %s: %s", parent && *parent ? parent : "/tmp",
			 strerror(errno));
		ephemeral->folder[0] = '\0';
		return false;
	}
	if (ephemeral_make_account(ephemeral))
		return true;
	ephemeral_remove(ephemeral);
	return false;
}

enum err ephemeral_fill(const struct settings *settings, struct store *store)
{
	struct arena arena = {0};
	struct account account;
	bool made;
	enum err err = ERR_NOT_FOUND;

	if (admin_account(settings, store, &arena, &account))
		err = demo_fill(store, account.id, TASKS, &made);
	arena_release(&arena);
	return err;
}

void ephemeral_remove(struct ephemeral *ephemeral)
{
	DIR *files = ephemeral->folder[0] ? opendir(ephemeral->folder) : NULL;
	const struct dirent *file;

	if (!ephemeral->folder[0])
		return;
	while (files && (file = readdir(files)))
		if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
			unlinkat(dirfd(files), file->d_name, 0);
	if (files)
		closedir(files);
	if (rmdir(ephemeral->folder))
		log_line("cannot remove %s: %s", ephemeral->folder, strerror(errno));
	ephemeral->folder[0] = '\0';
}
