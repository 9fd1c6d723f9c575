/* SPDX-License-Identifier: MIT */
/* Tasks: their field table and the rules that go over more than one field. */
#include "model/task.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "model/calendar.h"
#include "model/case_service.h"
#include "model/casefile.h"
#include "model/list.h"
#include "model/staff.h"
#include "model/subject.h"

static const char *const statuses[] = {
	[TASK_NONE] = "none",
	[TASK_NEEDS_ACTION] = "needs_action",
	[TASK_IN_PROGRESS] = "in_progress",
	[TASK_COMPLETE] = "complete",
	NULL,
};

static const struct field_link users = {
	.table = "task_user",
	.owner = "task_id",
	.member = "staff_id",
	.copies = {"status", "due_on"},
	.empty = "unassigned",
};

/* In the order of the answers. */
/* clang-format off */
static const struct field fields[] = {
	RECORD_ID,
	{.name = "casefile_id", .column = "casefile_id", .type = FIELD_ID,
	 .flags = FIELD_REQUIRED | FIELD_BY_ACCOUNT,
	 .offset = offsetof(struct task, casefile_id),
	 .help = "the case of the task"},
	{.name = "calendar_id", .column = "calendar_id", .type = FIELD_ID,
	 .flags = FIELD_REQUIRED, .offset = offsetof(struct task, calendar_id),
	 .help = "the calendar of the task"},
	{.name = "subject_id", .column = "subject_id", .type = FIELD_ID,
	 .offset = offsetof(struct task, subject_id),
	 .help = "the subject; one of the same case"},
	{.name = "case_service_id", .column = "case_service_id", .type = FIELD_ID,
	 .offset = offsetof(struct task, case_service_id),
	 .help = "the case service; one that is attached to the case"},
	{.name = "status", .column = "status", .type = FIELD_CHOICE, .choices = statuses,
	 .offset = offsetof(struct task, status),
	 .help = "how far the work is"},
	{.name = "due_on", .column = "due_on", .type = FIELD_DATE, .flags = FIELD_REQUIRED,
	 .offset = offsetof(struct task, due_on), .help = "the day it is due; a floating date"},
	{.name = "title", .column = "title", .type = FIELD_TEXT, .limit = 255,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE,
	 .offset = offsetof(struct task, title), .help = "the name of the task"},
	{.name = "title_folded", .column = "title_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN | FIELD_SEARCHED, .offset = offsetof(struct task, title_folded),
	 .help = "the title as it is searched and sorted"},
	{.name = "body", .column = "body", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct task, body), .help = "description and notes"},
	{.name = "address", .column = "address_", .type = FIELD_ADDRESS,
	 .offset = offsetof(struct task, address), .help = "where it is to be done"},
	{.name = "users_list", .type = FIELD_ID_LIST, .link = &users, .limit = TASK_USERS_MAX,
	 .offset = offsetof(struct task, users_list),
	 .help = "the staff members it is assigned to"},
	{.name = "unassigned", .column = "unassigned", .type = FIELD_CHOICE,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct task, unassigned),
	 .help = "whether users_list is empty"},
	{.name = "alert_at", .column = "alert_at", .type = FIELD_TIMESTAMP, .flags = FIELD_ALERT,
	 .offset = offsetof(struct task, alert_at), .help = "when its staff are alerted"},
	{.name = "alert_sent_at", .column = "alert_sent_at", .type = FIELD_TIMESTAMP,
	 .flags = FIELD_READ_ONLY, .offset = offsetof(struct task, alert_sent_at),
	 .help = "when they were"},
	{.name = "complete_at", .column = "complete_at", .type = FIELD_TIMESTAMP,
	 .offset = offsetof(struct task, complete_at),
	 .help = "when it was completed; only with status complete"},
	RECORD_TIMES(struct task),
};


static const struct filter filters[] = {
	{.name = "title", .field = "title_folded", .op = FILTER_CONTAINS,
	 .help = "the title has this in it"},
	{.name = "calendar", .field = "calendar_id", .help = "the calendar"},
	{.name = "case", .field = "casefile_id", .none = true, .help = "the case"},
	{.name = "subject", .field = "subject_id", .none = true, .help = "the subject"},
	{.name = "user", .field = "users_list", .none = true, .help = "assigned to"},
	{.name = "status", .field = "status", .help = "the status"},
	{.name = "due_from", .also = {"from", "From"}, .field = "due_on", .op = FILTER_FROM,
	 .help = "due on or after"},
	{.name = "due_to", .also = {"to", "To"}, .field = "due_on", .op = FILTER_TO,
	 .help = "due on or before"},
	FROM_TO("complete", "complete_at", "completed"),
	FROM_TO("alert", "alert_at", "alert scheduled"),
	FROM_TO("alert_sent", "alert_sent_at", "alert sent"),
	RECORD_FILTERS,
};

static const struct sort sorts[] = {
	{"id", "id"},
	{"due_on", "due_on"},
	{"title", "title_folded"},
	{"created_at", "created_at"},
	{"updated_at", "updated_at"},
	{"alert_at", "alert_at"},
	{"complete_at", "complete_at"},
};

static const struct expansion expansions[] = {
	{"case", "Casefile", "casefile_id", &casefile_type},
	{"calendar", "Calendar", "calendar_id", &calendar_type},
	{"subject", "Subject", "subject_id", &subject_type},
	{"case_service", "CaseService", "case_service_id", &case_service_type},
	{"users", "Users", "users_list", &staff_type},
};
/* clang-format on */

static const struct record_lists lists = {
	filters,    FIELD_COUNT(filters),    sorts, FIELD_COUNT(sorts),
	expansions, FIELD_COUNT(expansions),
};

/* Whether a time of completion came that is not the one which is there: a record that was read is
 * sent whole, with another status. */
static bool is_completed(const struct task *task, const struct task *before, uint64_t given)
{
	return (given & field_bit(&task_type, "complete_at")) && task->complete_at != TIME_NONE &&
	       !(before && before->complete_at == task->complete_at);
}

static void task_check(const void *record, const void *present, uint64_t given, uint64_t at_fault,
		       struct faults *faults)
{
	const struct task *task = record, *before = present;
	const struct {
		const char *path, *field;
		int64_t id;
	} of_case[] = {
		{"task.subject_id", "subject_id", task->subject_id},
		{"task.case_service_id", "case_service_id", task->case_service_id},
	};

	for (size_t i = 0; i < FIELD_COUNT(of_case); i++)
		if (task->casefile_id == ID_NONE && of_case[i].id != ID_NONE &&
		    !(at_fault & (field_bit(&task_type, "casefile_id") |
				  field_bit(&task_type, of_case[i].field))))
			faults_add(faults, of_case[i].path, FAULT_MISMATCH, "needs a casefile_id");
	/* What the status should have been is not known where it is wrong. */
	if (is_completed(task, before, given) && task->status != TASK_COMPLETE &&
	    !(at_fault & field_bit(&task_type, "status")))
		faults_add(faults, "task.complete_at", FAULT_NOT_ALLOWED,
			   "is allowed only with status complete");
	if ((given & field_bit(&task_type, "complete_at")) && task->complete_at == TIME_NONE &&
	    task->status == TASK_COMPLETE && before && before->status == TASK_COMPLETE)
		faults_add(faults, "task.complete_at", FAULT_REQUIRED,
			   "is required while the status is complete");
}

/* Fills in title_folded and unassigned; complete_at when the status becomes complete and none was
 * given, and none when it leaves that; and takes back that an alert was sent when it moves. */
static enum err task_derive(void *record, const void *present, const struct occasion *occasion)
{
	const struct task *before = present;
	struct task *task = record;

	if (task->status != TASK_COMPLETE)
		task->complete_at = TIME_NONE;
	else if (task->complete_at == TIME_NONE)
		task->complete_at = occasion->now;
	if (before && before->alert_at != task->alert_at)
		task->alert_sent_at = TIME_NONE;
	task->unassigned = task->users_list.count == 0;
	return text_fold(occasion->arena, task->title, &task->title_folded);
}

const struct record_type task_type = {
	.name = "task",
	.noun = "task",
	.table = "task",
	.sequence = "last_task_id",
	.size = sizeof(struct task),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.lists = &lists,
	.check = task_check,
	.derive = task_derive,
};
