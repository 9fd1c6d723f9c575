/* SPDX-License-Identifier: MIT */
/* What a new account needs, from settings: its name, its first staff member and a token. */
#include "cli/first.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"

/* An account is a label of a host name (RFC 1123, section 2.1). */
static bool is_label(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ACCOUNT_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
	       name[len - 1] != '-';
}

bool account_name_check(const struct settings *settings, const char *name)
{
	static const char wrong[] =
		"must be 1 to 63 lower-case letters, digits and hyphens, with no "
		"hyphen at either end";

	if (is_label(name))
		return true;
	if (settings->argument)
		fprintf(settings->err, "docket %s: the name %s\n", settings->command->name, wrong);
	else
		settings_wrong(settings, SETTING_ACCOUNT, "%s", wrong);
	return false;
}

/* Enough to tell a slip: whether mail arrives, only mail can tell. */
static bool is_address(const char *email)
{
	const char *at = strchr(email, '@');

	return at && at != email && at[1] && !strchr(at + 1, '@') && !strpbrk(email, " \t<>,;\"");
}

/* A user name stands before the colon of HTTP Basic (RFC 7617, section 2). */
static bool check_staff(const struct settings *settings, const struct staff *staff)
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
	if (memchr(staff->username.ptr, ':', staff->username.len))
		settings_wrong(settings, SETTING_USERNAME, "must not have a colon");
	else if (staff->email.len && !is_address(staff->email.ptr))
		settings_wrong(settings, SETTING_EMAIL, "must be an address as name@example.com");
	else
		return true;
	return false;
}

bool first_staff(const struct settings *settings, struct staff *staff_out)
{
	record_clear(&staff_type, staff_out);
	staff_out->username = slice_of(settings->text[SETTING_USERNAME]);
	if (settings->text[SETTING_EMAIL])
		staff_out->email = slice_of(settings->text[SETTING_EMAIL]);
	staff_out->access_level = STAFF_FULL;
	return check_staff(settings, staff_out);
}

bool token_file_write(const char *file, const char *token)
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
