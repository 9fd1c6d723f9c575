/* SPDX-License-Identifier: MIT */
/* Cases: what an agency works on; the API calls them casefile. Their field table, lists and rules.
 */
#include "model/casefile.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "base/zone.h"
#include "model/list.h"

static const char *const statuses[] = {
	[CASEFILE_OPEN] = "open",
	[CASEFILE_CLOSED] = "closed",
	NULL,
};

static const struct field_link services = {
	.table = "casefile_service",
	.owner = "casefile_id",
	.member = "case_service_id",
};

/* clang-format off */
#define REFERENCE(member, words) \
	{.name = #member, .column = #member, .type = FIELD_TEXT, .limit = 255, \
	 .flags = FIELD_ONE_LINE, .offset = offsetof(struct casefile, member), .help = words}

static const struct field fields[] = {
	RECORD_ID,
	{.name = "case_number", .column = "case_number", .type = FIELD_TEXT,
	 .flags = FIELD_UNIQUE | FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct casefile, case_number),
	 .example = "\"2027-001\"",
	 .help = "the agency's own number of the case; no two cases have the same"},
	{.name = "status", .column = "status", .type = FIELD_CHOICE, .choices = statuses,
	 .offset = offsetof(struct casefile, status), .help = "whether work on the case goes on"},
	{.name = "created_on", .column = "created_on", .type = FIELD_DATE, .flags = FIELD_ALWAYS,
	 .offset = offsetof(struct casefile, created_on),
	 .example = "\"2027-01-31\"",
	 .preset = "today in the account's time zone", .help = "the day on which the case began"},
	{.name = "due_on", .column = "due_on", .type = FIELD_DATE,
	 .offset = offsetof(struct casefile, due_on), .example = "\"2027-06-30\"",
	 .help = "the day on which the case is due"},
	REFERENCE(reference_value_1, "what other parties call the case"),
	REFERENCE(reference_value_2, "the same, for a second party"),
	REFERENCE(reference_value_3, "the same, for a third party"),
	{.name = "notes", .column = "notes", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct casefile, notes), .help = "notes on the case"},
	{.name = "case_services_list", .type = FIELD_ID_LIST, .link = &services, .limit = 100,
	 .offset = offsetof(struct casefile, case_services_list),
	 .example = "[1]",
	 .help = "the case services that are attached to the case"},
	RECORD_TIMES(struct casefile),
};

static const struct filter filters[] = {
	{.name = "case_number", .field = "case_number", .op = FILTER_IS,
	 .help = "with this case number"},
	{.name = "status", .field = "status", .help = "with one of these statuses"},
	{.name = "created_from", .also = {"from", "From"}, .field = "created_on",
	 .op = FILTER_FROM, .help = "that began then or later"},
	{.name = "created_to", .also = {"to", "To"}, .field = "created_on", .op = FILTER_TO,
	 .help = "that began then or earlier"},
	{.name = "created_from_system", .field = "created_at", .op = FILTER_FROM,
	 .help = "whose record was created then or later"},
	{.name = "created_to_system", .field = "created_at", .op = FILTER_TO,
	 .help = "whose record was created then or earlier"},
	FROM_TO("due", "due_on", "that are due"),
	{.name = "reference_value_1", .field = "reference_value_1", .op = FILTER_IS,
	 .help = "with this reference"},
	{.name = "reference_value_2", .field = "reference_value_2", .op = FILTER_IS,
	 .help = "with this reference"},
	{.name = "reference_value_3", .field = "reference_value_3", .op = FILTER_IS,
	 .help = "with this reference"},
	RECORD_FILTERS_BY_KEY,
};
/* clang-format on */

static const struct sort sorts[] = {
	{"id", "id"},         {"case_number", "case_number"}, {"created_on", "created_on"},
	{"due_on", "due_on"}, {"created_at", "created_at"},   {"updated_at", "updated_at"},
};

static const struct record_lists lists = {
	filters, FIELD_COUNT(filters), sorts, FIELD_COUNT(sorts), NULL, 0,
};

/* Without a created_on a case gets the day of the write, in the account's time zone. */
static enum err casefile_derive(void *record, const void *before, const struct occasion *occasion)
{
	struct casefile *casefile = record;
	enum err err;

	(void)before;
	if (casefile->created_on != DATE_NONE)
		return OK;
	err = zone_day(occasion->time_zone, occasion->now, &casefile->created_on);
	if (err != ERR_NOT_FOUND)
		return err;
	faults_add(occasion->faults, "casefile.created_on", FAULT_REQUIRED,
		   "is required, because the server does not know the account's time zone \"%s\"",
		   text_shown(occasion->faults->arena, slice_of(occasion->time_zone), SHOWN_CHARS));
	return OK;
}

const struct record_type casefile_type = {
	.name = "casefile",
	.noun = "case",
	.table = "casefile",
	.sequence = "last_casefile_id",
	.size = sizeof(struct casefile),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"case_number"},
	.lists = &lists,
	.derive = casefile_derive,
};
