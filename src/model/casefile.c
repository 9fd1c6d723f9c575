/* SPDX-License-Identifier: MIT */
/* Cases: what an agency works on; the API calls them casefile. Its field table. */
#include "model/casefile.h"

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
static const struct field fields[] = {
	RECORD_ID,
	{.name = "case_number", .column = "case_number", .type = FIELD_TEXT,
	 .flags = FIELD_UNIQUE | FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct casefile, case_number),
	 .help = "the agency's own number of the case"},
	{.name = "status", .column = "status", .type = FIELD_CHOICE, .choices = statuses,
	 .offset = offsetof(struct casefile, status), .help = "whether work goes on"},
	{.name = "case_services_list", .type = FIELD_ID_LIST, .link = &services,
	 .offset = offsetof(struct casefile, case_services_list),
	 .help = "the case services attached to it"},
	RECORD_TIMES,
};
/* clang-format on */

const struct record_type casefile_type = {
	.name = "casefile",
	.table = "casefile",
	.sequence = "last_casefile_id",
	.size = sizeof(struct casefile),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"case_number"},
};
