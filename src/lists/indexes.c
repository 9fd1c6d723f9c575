/* SPDX-License-Identifier: MIT */
/* The indexes of the schema that lists use. */
#include "lists_private.h"

/* Sorted by how little each usually finds. Of two indexes that give the order, or that cost the
 * same, the first is taken. */
/* clang-format off */
static const struct list_index task_indexes[] = {
	{NULL, "id"},
	{"task_by_external", "external_id"},
	{"task_user_by_staff", "users_list", NULL, {"status", "due_on"}, "task_unassigned"},
	{"task_by_subject", "subject_id", NULL, {"status", "due_on"}},
	{"task_by_case", "casefile_id", NULL, {"status", "due_on"}},
	{"task_by_calendar", "calendar_id", NULL, {"status", "due_on"}},
	{"task_by_status", "status", NULL, {"due_on"}},
	{"task_by_status_due", "status", "due_on"},
	{"task_by_due", "due_on", NULL, {"status"}},
	{"task_by_alert", "alert_at", NULL, {"status", "due_on"}},
	{"task_by_alert_sent", "alert_sent_at", NULL, {"status", "due_on"}},
	{"task_by_complete", "complete_at", NULL, {"status", "due_on"}},
	{"task_by_created", "created_at", NULL, {"status", "due_on"}},
	{"task_by_updated", "updated_at", NULL, {"status", "due_on"}},
	{"task_by_title", "title_folded"},
	{NULL, NULL},
};
/* clang-format on */

static const struct list_index casefile_indexes[] = {
	{NULL, "id"},
	{"casefile_by_external", "external_id"},
	{"casefile_by_number", "case_number"},
	{"casefile_by_reference_1", "reference_value_1"},
	{"casefile_by_reference_2", "reference_value_2"},
	{"casefile_by_reference_3", "reference_value_3"},
	{"casefile_by_status", "status"},
	{"casefile_by_due", "due_on"},
	{"casefile_by_created_on", "created_on"},
	{"casefile_by_created", "created_at"},
	{"casefile_by_updated", "updated_at"},
	{NULL, NULL},
};

static const struct list_index subject_indexes[] = {
	{NULL, "id"},
	{"subject_by_external", "external_id"},
	{"subject_by_case", "casefile_id"},
	{"subject_by_created", "created_at"},
	{"subject_by_updated", "updated_at"},
	{"subject_by_name", "name_folded"},
	{"subject_by_last_name", "last_name_folded"},
	{NULL, NULL},
};

/* For kinds of which an account has few records. Other filters read all records of the account. */
#define FEW(table)                                                                 \
	{                                                                          \
		{NULL, "id"}, {table "_by_external", "external_id"}, {NULL, NULL}, \
	}
static const struct list_index staff_indexes[] = FEW("staff");
static const struct list_index calendar_indexes[] = FEW("calendar");
static const struct list_index case_service_indexes[] = FEW("case_service");

static const struct list_index *const indexes[RECORD_KINDS] = {
	[RECORD_TASK] = task_indexes,         [RECORD_CASEFILE] = casefile_indexes,
	[RECORD_SUBJECT] = subject_indexes,   [RECORD_STAFF] = staff_indexes,
	[RECORD_CALENDAR] = calendar_indexes, [RECORD_CASE_SERVICE] = case_service_indexes,
};

bool list_field_is_called(const struct field *field, const char *name)
{
	return field && name ? strcmp(field->name, name) == 0 : !field && !name;
}

const struct list_index *list_find_index(enum record_kind kind, const struct field *field,
					 const struct field *second)
{
	const struct list_index *index = indexes[kind];

	while (index && index->field &&
	       !(list_field_is_called(field, index->field) &&
		 list_field_is_called(second, index->second)))
		index++;
	return index && index->field ? index : NULL;
}
