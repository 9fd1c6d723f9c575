/* SPDX-License-Identifier: MIT */
/* Cases: what an agency works on; the API calls them casefile. Their field table, lists and rules.
 */
#include "model/casefile.h"

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
	 .help = "the agency's own number of the case"},
	{.name = "status", .column = "status", .type = FIELD_CHOICE, .choices = statuses,
	 .offset = offsetof(struct casefile, status), .help = "whether work goes on"},
	{.name = "created_on", .column = "created_on", .type = FIELD_DATE, .flags = FIELD_ALWAYS,
	 .offset = offsetof(struct casefile, created_on),
	 .help = "the day the case is from; a floating date"},
	{.name = "due_on", .column = "due_on", .type = FIELD_DATE,
	 .offset = offsetof(struct casefile, due_on), .help = "the day it is due; a floating date"},
	REFERENCE(reference_value_1, "whatever the agency refers to it by"),
	REFERENCE(reference_value_2, "the same"),
	REFERENCE(reference_value_3, "the same"),
	{.name = "notes", .column = "notes", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct casefile, notes), .help = "notes"},
	{.name = "case_services_list", .type = FIELD_ID_LIST, .link = &services, .limit = 100,
	 .offset = offsetof(struct casefile, case_services_list),
	 .help = "the case services attached to it"},
	RECORD_TIMES(struct casefile),
};

static const struct filter filters[] = {
	{.name = "case_number", .field = "case_number", .op = FILTER_IS, .help = "its number"},
	{.name = "status", .field = "status", .help = "the status"},
	{.name = "created_from", .also = {"from", "From"}, .field = "created_on",
	 .op = FILTER_FROM, .help = "from that day on"},
	{.name = "created_to", .also = {"to", "To"}, .field = "created_on", .op = FILTER_TO,
	 .help = "up to that day"},
	{.name = "created_from_system", .field = "created_at", .op = FILTER_FROM,
	 .help = "entered on or after"},
	{.name = "created_to_system", .field = "created_at", .op = FILTER_TO,
	 .help = "entered on or before"},
	FROM_TO("due", "due_on", "due"),
	{.name = "reference_value_1", .field = "reference_value_1", .op = FILTER_IS,
	 .help = "the reference"},
	{.name = "reference_value_2", .field = "reference_value_2", .op = FILTER_IS,
	 .help = "the reference"},
	{.name = "reference_value_3", .field = "reference_value_3", .op = FILTER_IS,
	 .help = "the reference"},
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

/* A case is from the day when it is created, in UTC, where no other is given. */
static enum err casefile_derive(void *record, const void *before, const struct occasion *occasion)
{
	struct casefile *casefile = record;

	(void)before;
	return casefile->created_on == DATE_NONE
		       ? zone_day(occasion->time_zone, occasion->now, &casefile->created_on)
		       : OK;
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
