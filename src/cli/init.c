/* SPDX-License-Identifier: MIT */
/* docket init: makes a data folder. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "store/store.h"

/* An account is a label of a host name (RFC 1123, section 2.1). */
static bool is_label(const char *name)
{
	size_t len = strlen(name);

	return len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       name[0] != '-' && name[len - 1] != '-';
}

/* Enough to tell a slip: whether mail arrives, only mail can tell. */
static bool is_address(const char *email)
{
	const char *at = strchr(email, '@');

	return at && at != email && at[1] && !strchr(at + 1, '@') && !strpbrk(email, " \t<>,;\"");
}

/* A user name stands before the colon of HTTP Basic (RFC 7617, section 2). */
static bool check(const struct settings *settings, const struct staff *staff)
{
	static const struct {
		const char *field;
		enum setting setting;
	} texts[] = {{"username", SETTING_USERNAME}, {"email", SETTING_EMAIL}};
	struct arena arena = {0};
	struct faults faults;
	bool fine = true;

	faults_init(&faults, &arena);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && fine; i++) {
		const struct field *field = field_find(staff_type.fields, staff_type.field_count,
						       slice_of(texts[i].field));
		struct slice text = *(const struct slice *)CONST_FIELD_AT(staff, field);

		if (!text_is_utf8(text))
			faults_add(&faults, "", FAULT_FORMAT, "is not UTF-8");
		else
			field_check_text(field, text, "", &faults);
		fine = faults.count == 0;
		if (!fine)
			settings_wrong(settings, texts[i].setting, "%s",
				       faults.first ? faults.first->message : "is wrong");
	}
	arena_release(&arena);
	if (!fine)
		return false;
	if (!is_label(settings->text[SETTING_ACCOUNT]))
		settings_wrong(settings, SETTING_ACCOUNT,
			       "must be 1 to 63 lower-case letters, digits and hyphens, with no "
			       "hyphen at either end");
	else if (memchr(staff->username.ptr, ':', staff->username.len))
		settings_wrong(settings, SETTING_USERNAME, "must not have a colon");
	else if (staff->email.len && !is_address(staff->email.ptr))
		settings_wrong(settings, SETTING_EMAIL, "must be an address as name@example.com");
	else
		return true;
	return false;
}

static bool write_token(const char *file, const char *token)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0) {
		log_line("cannot make the token's file %s: %s", file, strerror(errno));
		return false;
	}
	written = dprintf(fd, "%s\n", token) == TOKEN_CHARS + 1 && fsync(fd) == 0;
	if (close(fd) || !written) {
		log_line("cannot write the token's file %s: %s", file, strerror(errno));
		unlink(file);
		return false;
	}
	return true;
}

struct token_out {
	const char *file; /* NULL: standard output */
	char token[TOKEN_CHARS + 1];
	bool written;
};

static bool hand_over(void *context)
{
	struct token_out *out = context;

	if (out->file) {
		out->written = write_token(out->file, out->token);
	} else {
		out->written = printf("%s\n", out->token) > 0 && fflush(stdout) == 0;
		if (!out->written)
			log_line("cannot write the API token to standard output: %s",
				 strerror(errno));
	}
	return out->written;
}

static enum exit_status make(const struct settings *settings, struct staff *staff)
{
	const char *folder = settings->text[SETTING_DATA];
	struct token_out out = {.file = settings->text[SETTING_TOKEN_FILE]};
	unsigned char hash[TOKEN_HASH_BYTES];
	struct buf why = {0};
	const struct store_first first = {
		.account = settings->text[SETTING_ACCOUNT],
		.staff = staff,
		.token_hash = hash,
		.token_label = "made by docket init",
		.hand_over = hand_over,
		.context = &out,
	};
	enum err err;

	token_new(out.token);
	token_hash(slice_of(out.token), hash);
	err = store_create(folder, &system_clock, &first, &why);
	if (err) {
		if (why.len)
			log_line("%.*s", (int)why.len, why.ptr);
		if (out.file && out.written)
			unlink(out.file);
	} else {
		fprintf(stderr, "made %s with the account \"%s\" and the staff member \"%s\"\n",
			folder, first.account, settings->text[SETTING_USERNAME]);
		if (out.file)
			fprintf(stderr, "the API token is in %s\n", out.file);
	}
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}

enum exit_status command_init(const struct settings *settings)
{
	struct staff staff;

	record_clear(&staff_type, &staff);
	staff.username = slice_of(settings->text[SETTING_USERNAME]);
	if (settings->text[SETTING_EMAIL])
		staff.email = slice_of(settings->text[SETTING_EMAIL]);
	staff.access_level = STAFF_FULL;
	if (!check(settings, &staff))
		return EXIT_USAGE;
	if (auth_init()) {
		log_line("no random numbers can be had on this machine");
		return EXIT_FAILED;
	}
	return make(settings, &staff);
}
