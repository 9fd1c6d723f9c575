/* SPDX-License-Identifier: MIT */
/* Calendars: groups of tasks, each with a colour. Their field table, lists and rules. */
#include "model/calendar.h"

#include <ctype.h>

#include "base/text.h"
#include "model/list.h"

#define CALENDAR_COLOR "#3366cc" /* of a calendar that was given none */

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "name", .column = "name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct calendar, name), .example = "\"Court dates\"",
	 .help = "the name of the calendar"},
	{.name = "name_folded", .column = "name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct calendar, name_folded),
	 .help = "the name as it is sorted"},
	{.name = "color", .column = "color", .type = FIELD_TEXT,
	 .flags = FIELD_ONE_LINE, .limit = 7,
	 .offset = offsetof(struct calendar, color), .example = "\"#cc3300\"",
	 .preset = "`" CALENDAR_COLOR "`", .help = "its color: `#` and six hexadecimal digits"},
	{.name = "description", .column = "description", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct calendar, description), .help = "what the calendar is for"},
	RECORD_TIMES(struct calendar),
};

static const struct filter filters[] = {RECORD_FILTERS};
/* clang-format on */

static const struct sort sorts[] = {
	{"id", "id"},
	{"name", "name_folded"},
	{"created_at", "created_at"},
	{"updated_at", "updated_at"},
};

static const struct record_lists lists = {
	filters, FIELD_COUNT(filters), sorts, FIELD_COUNT(sorts), NULL, 0,
};

static void calendar_check(const void *record, const void *before, uint64_t given,
			   uint64_t at_fault, struct faults *faults)
{
	struct slice color = ((const struct calendar *)record)->color;
	bool fine = color.len == 7 && color.ptr[0] == '#';

	(void)before;
	(void)given;
	for (size_t i = 1; i < color.len && fine; i++)
		fine = isxdigit((unsigned char)color.ptr[i]);
	if (color.len && !fine && !(at_fault & field_bit(&calendar_type, "color")))
		faults_add(faults, "calendar.color", FAULT_FORMAT,
			   "must be a color such as #3366cc; got \"%s\"",
			   text_shown(faults->arena, color, SHOWN_CHARS));
}

static enum err calendar_derive(void *record, const void *before, const struct occasion *occasion)
{
	struct calendar *calendar = record;
	char *color = arena_copy(occasion->arena, calendar->color);

	(void)before;
	if (!color)
		return ERR_NOMEM;
	for (char *at = color; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	calendar->color = calendar->color.len ? (struct slice){color, calendar->color.len}
					      : SLICE(CALENDAR_COLOR);
	return text_fold(occasion->arena, calendar->name, &calendar->name_folded);
}

const struct record_type calendar_type = {
	.name = "calendar",
	.noun = "calendar",
	.table = "calendar",
	.sequence = "last_calendar_id",
	.size = sizeof(struct calendar),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.lists = &lists,
	.check = calendar_check,
	.derive = calendar_derive,
};
