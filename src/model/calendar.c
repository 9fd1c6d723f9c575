/* SPDX-License-Identifier: MIT */
/* Calendars: groups of tasks, each with a colour. Its field table. */
#include "model/calendar.h"

/* clang-format off */
static const struct field fields[] = {
	{.name = "id", .column = "id", .type = FIELD_ID, .flags = FIELD_READ_ONLY,
	 .offset = offsetof(struct calendar, record.id), .help = "its number"},
	{.name = "name", .column = "name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct calendar, name), .help = "its name"},
	{.name = "color", .column = "color", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 7,
	 .offset = offsetof(struct calendar, color), .help = "its colour as #rrggbb"},
	{.name = "created_at", .column = "created_at", .type = FIELD_TIMESTAMP,
	 .flags = FIELD_READ_ONLY, .offset = offsetof(struct calendar, record.created_at),
	 .help = "when it was created"},
	{.name = "updated_at", .column = "updated_at", .type = FIELD_TIMESTAMP,
	 .flags = FIELD_READ_ONLY, .offset = offsetof(struct calendar, record.updated_at),
	 .help = "when it was last changed"},
};
/* clang-format on */

const struct record_type calendar_type = {
	.name = "calendar",
	.table = "calendar",
	.sequence = "last_calendar_id",
	.size = sizeof(struct calendar),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
};
