/* SPDX-License-Identifier: MIT */
/* Case services: what an account offers, attached to cases. Its field table. */
#include "model/case_service.h"

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "name", .column = "name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct case_service, name), .help = "its name"},
	RECORD_TIMES,
};
/* clang-format on */

const struct record_type case_service_type = {
	.name = "case_service",
	.table = "case_service",
	.sequence = "last_case_service_id",
	.size = sizeof(struct case_service),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
};
