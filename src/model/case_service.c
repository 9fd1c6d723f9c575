/* SPDX-License-Identifier: MIT */
/* Case services: the services that an account offers. Their field table and lists. */
#include "model/case_service.h"

#include "base/text.h"
#include "model/list.h"

/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "name", .column = "name", .type = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE, .limit = 255,
	 .offset = offsetof(struct case_service, name), .example = "\"Interview\"",
	 .help = "the name of the case service"},
	{.name = "name_folded", .column = "name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct case_service, name_folded),
	 .help = "the name as it is sorted"},
	RECORD_TIMES(struct case_service),
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

static enum err case_service_derive(void *record, const void *before,
				    const struct occasion *occasion)
{
	struct case_service *service = record;

	(void)before;
	return text_fold(occasion->arena, service->name, &service->name_folded);
}

const struct record_type case_service_type = {
	.name = "case_service",
	.noun = "case service",
	.table = "case_service",
	.sequence = "last_case_service_id",
	.size = sizeof(struct case_service),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.lists = &lists,
	.derive = case_service_derive,
};
