/* SPDX-License-Identifier: MIT */
/* Staff members: the users of an account. Its field table. */
#include "model/staff.h"

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
	 .flags = FIELD_UNIQUE | FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 64,
	 .offset = offsetof(struct staff, username), .help = "the name they log in with"},
	{.name = "first_name", .column = "first_name", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct staff, first_name), .help = "first name"},
	{.name = "last_name", .column = "last_name", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct staff, last_name), .help = "last name"},
	{.name = "email", .column = "email", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 254,
	 .offset = offsetof(struct staff, email), .help = "where alerts go"},
	{.name = "access_level", .column = "access_level", .type = FIELD_CHOICE,
	 .choices = levels,
	 .offset = offsetof(struct staff, access_level), .help = "what they may do"},
	RECORD_TIMES,
};
/* clang-format on */

const struct record_type staff_type = {
	.name = "staff",
	.table = "staff",
	.sequence = "last_staff_id",
	.size = sizeof(struct staff),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"first_name", "last_name", "username"},
};

void staff_check(const struct staff *staff, struct faults *faults)
{
	struct slice email = staff->email;
	const char *at = email.len ? memchr(email.ptr, '@', email.len) : NULL;
	size_t before = at ? (size_t)(at - email.ptr) : 0;
	bool fine = at && before && before + 1 < email.len &&
		    !memchr(at + 1, '@', email.len - before - 1);

	for (size_t i = 0; i < email.len; i++)
		fine = fine && !strchr(" \t<>,;\"", email.ptr[i]);
	if (email.len && !fine)
		faults_add(faults, "staff.email", FAULT_FORMAT,
			   "must be an address as name@example.com");
	if (staff->username.len && memchr(staff->username.ptr, ':', staff->username.len))
		faults_add(faults, "staff.username", FAULT_FORMAT, "must not have a colon");
}
