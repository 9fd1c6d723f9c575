/* SPDX-License-Identifier: MIT */
/* Calendars: groups of tasks, each with a colour. Its field table. */
#include "model/calendar.h"

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "name", .column = "name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct calendar, name), .help = "its name"},
	{.name = "color", .column = "color", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 7,
	 .offset = offsetof(struct calendar, color), .help = "its colour as #rrggbb"},
	RECORD_TIMES,
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
