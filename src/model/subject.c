/* SPDX-License-Identifier: MIT */
/* Subjects: whom a case is about. Each belongs to one case. Its field table. */
#include "model/subject.h"

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "casefile_id", .column = "casefile_id", .type = FIELD_ID,
	 .flags = FIELD_REQUIRED,
	 .offset = offsetof(struct subject, casefile_id), .help = "the case it belongs to"},
	{.name = "first_name", .column = "first_name", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct subject, first_name), .help = "first name"},
	{.name = "last_name", .column = "last_name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct subject, last_name), .help = "last name"},
	{.name = "address", .column = "address_", .type = FIELD_ADDRESS,
	 .offset = offsetof(struct subject, address), .help = "where the subject lives"},
	RECORD_TIMES,
};
/* clang-format on */

const struct record_type subject_type = {
	.name = "subject",
	.table = "subject",
	.sequence = "last_subject_id",
	.size = sizeof(struct subject),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"first_name", "last_name"},
};
