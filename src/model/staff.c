/* SPDX-License-Identifier: MIT */
/* Staff members: the users of an account. Their field table, lists and rules. */
#include "model/staff.h"

#include "base/text.h"
#include "base/zone.h"
#include "model/list.h"

static const char *const levels[] = {
	[STAFF_FULL] = "full",
	[STAFF_LIMITED] = "limited",
	[STAFF_DISABLED] = "disabled",
	NULL,
};

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "username", .column = "username", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 64,
	 .offset = offsetof(struct staff, username), .example = "\"doe\"",
	 .help = "the name that they log in with. A new one has no slash, no colon, no blank at its "
		 "ends and no invisible character, and does not look like another"},
	{.name = "first_name", .column = "first_name", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct staff, first_name), .example = "\"Jane\"",
	 .help = "the first name"},
	{.name = "last_name", .column = "last_name", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct staff, last_name), .example = "\"Doe\"",
	 .help = "the last name"},
	{.name = "email", .column = "email", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 254,
	 .offset = offsetof(struct staff, email), .example = "\"doe@example.com\"",
	 .help = "the e-mail address that alerts go to, such as `name@example.com`"},
	{.name = "access_level", .column = "access_level", .type = FIELD_CHOICE,
	 .choices = levels, .flags = FIELD_REQUIRED, /* no full access by mistake */
	 .offset = offsetof(struct staff, access_level), .example = "\"limited\"",
	 .help = "what they may do. Only those with `full` may use the API"},
	{.name = "is_vendor", .column = "is_vendor", .type = FIELD_BOOL,
	 .offset = offsetof(struct staff, is_vendor),
	 .example = "false",
	 .help = "whether they work for another firm"},
	{.name = "time_zone", .column = "time_zone", .type = FIELD_TEXT, .limit = 64,
	 .flags = FIELD_ONE_LINE, .offset = offsetof(struct staff, time_zone),
	 .example = "\"Europe/Berlin\"",
	 .preset = "the account's", .help = "their time zone, an IANA name such as `Europe/Berlin`"},
	{.name = "first_name_folded", .column = "first_name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct staff, first_name_folded),
	 .help = "the first name as it is searched"},
	{.name = "last_name_folded", .column = "last_name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct staff, last_name_folded),
	 .help = "the last name as it is searched and sorted"},
	{.name = "username_key", .column = "username_key", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct staff, username_key),
	 .help = "the user name as it is compared"},
	{.name = "username_exact", .column = "username_exact", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct staff, username_exact),
	 .help = "the user name where others have the same key"},
	{.name = "username_skeleton", .column = "username_skeleton", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct staff, username_skeleton),
	 .help = "what user names that look alike have in common"},
	RECORD_TIMES(struct staff),
};

static const struct filter filters[] = {
	{.name = "last_name", .field = "last_name_folded", .op = FILTER_CONTAINS,
	 .help = "whose last name contains this text"},
	{.name = "first_name", .field = "first_name_folded", .op = FILTER_CONTAINS,
	 .help = "whose first name contains this text"},
	{.name = "email", .field = "email", .op = FILTER_IS, .help = "with this e-mail address"},
	{.name = "is_vendor", .field = "is_vendor", .help = "that work for another firm, or do not"},
	{.name = "access_level", .field = "access_level", .help = "with one of these access levels"},
	RECORD_FILTERS,
};
/* clang-format on */

static const struct sort sorts[] = {
	{"id", "id"},
	{"username", "username"},
	{"last_name", "last_name_folded"},
	{"first_name", "first_name_folded"},
	{"email", "email"},
	{"created_at", "created_at"},
	{"updated_at", "updated_at"},
};

static const struct record_lists lists = {
	filters, FIELD_COUNT(filters), sorts, FIELD_COUNT(sorts), NULL, 0,
};

enum err staff_username_key(struct arena *arena, struct slice username, struct slice *key_out)
{
	return text_fold(arena, text_trim(username), key_out);
}

static void username_check_form(struct slice name, struct faults *faults)
{
	static const char path[] = "staff.username";
	uint32_t unseen = text_unseen(name);

	if (memchr(name.ptr, ':', name.len) || memchr(name.ptr, '/', name.len))
		faults_add(faults, path, FAULT_FORMAT, "must not contain a colon or a slash");
	if (text_trim(name).len != name.len && !text_is_blank(name))
		faults_add(faults, path, FAULT_FORMAT, "must not begin or end with a blank");
	if (unseen && !text_has_control(name) && !text_is_blank(name))
		faults_add(faults, path, FAULT_CONTROL,
			   "must not contain U+%04X, a character that is invisible or unknown",
			   (unsigned)unseen);
}

/* The rules that the rows do not have. A user name has no colon, which ends it in HTTP Basic (RFC
 * 7617, section 2); no slash, which ends it before "token"; no white space at its ends; and no
 * invisible or unknown character (see text_unseen()). A user name or a time zone that does not
 * change is not checked. An e-mail address has one @ with something on both sides, and no character
 * that would separate addresses: enough to find a mistake. */
static void staff_check(const void *record, const void *present, uint64_t given, uint64_t at_fault,
			struct faults *faults)
{
	const struct staff *staff = record, *before = present;
	struct slice email = staff->email;
	const char *at = email.len ? memchr(email.ptr, '@', email.len) : NULL;
	size_t front = at ? (size_t)(at - email.ptr) : 0;
	bool fine =
		at && front && front + 1 < email.len && !memchr(at + 1, '@', email.len - front - 1);

	(void)given;
	(void)at_fault;
	for (size_t i = 0; i < email.len; i++)
		fine = fine && !strchr(" \t<>,;\"", email.ptr[i]);
	if (email.len && !fine)
		faults_add(faults, "staff.email", FAULT_FORMAT,
			   "must be an address such as name@example.com; got \"%s\"",
			   text_shown(faults->arena, email, SHOWN_CHARS));
	if (staff->username.len && !(before && slice_eq(before->username, staff->username)))
		username_check_form(staff->username, faults);
	if (staff->time_zone.len && !(before && slice_eq(before->time_zone, staff->time_zone))) {
		const char *zone = arena_copy(faults->arena, staff->time_zone);

		if (!zone || !zone_is_known(zone))
			faults_add(faults, "staff.time_zone", FAULT_CHOICE,
				   "must be an IANA time zone such as Europe/Berlin; got \"%s\"",
				   text_shown(faults->arena, staff->time_zone, SHOWN_CHARS));
	}
}

/* Fills in the folded names, the key and skeleton of the user name, and the account's time zone if
 * none is given. */
static enum err staff_derive(void *record, const void *present, const struct occasion *occasion)
{
	struct arena *arena = occasion->arena;
	const struct staff *before = present;
	struct staff *staff = record;
	enum err err = text_fold(arena, staff->first_name, &staff->first_name_folded);

	if (!err)
		err = text_fold(arena, staff->last_name, &staff->last_name_folded);
	if (!err)
		err = staff_username_key(arena, staff->username, &staff->username_key);
	if (!err)
		err = text_skeleton(arena, staff->username, &staff->username_skeleton);
	/* records/record_staff.c refuses a new name whose key another staff member has. */
	if (!before || !slice_eq(before->username, staff->username))
		staff->username_exact = SLICE("");
	if (!staff->time_zone.len) {
		/* A copy, because the record outlives the occasion. */
		staff->time_zone = slice_of(occasion->time_zone);
		staff->time_zone.ptr = arena_copy(occasion->arena, staff->time_zone);
		if (!staff->time_zone.ptr)
			return ERR_NOMEM;
	}
	return err;
}

const struct record_type staff_type = {
	.name = "staff",
	.noun = "staff member",
	.table = "staff",
	.sequence = "last_staff_id",
	.size = sizeof(struct staff),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"first_name", "last_name", "username"},
	.lists = &lists,
	.check = staff_check,
	.derive = staff_derive,
};
