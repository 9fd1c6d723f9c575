/* SPDX-License-Identifier: MIT */
/* Tasks: their field table, lists and rules. */
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
	 .example = "245",
	 .help = "the case of the task. It may be omitted if the account was set so with "
		 "`docket account set --require-case no`"},
	{.name = "calendar_id", .column = "calendar_id", .type = FIELD_ID,
	 .flags = FIELD_REQUIRED, .offset = offsetof(struct task, calendar_id),
	 .example = "1",
	 .help = "the calendar of the task"},
	{.name = "subject_id", .column = "subject_id", .type = FIELD_ID,
	 .offset = offsetof(struct task, subject_id),
	 .example = "209",
	 .help = "a subject of the same case"},
	{.name = "case_service_id", .column = "case_service_id", .type = FIELD_ID,
	 .offset = offsetof(struct task, case_service_id),
	 .example = "1",
	 .help = "a case service that is attached to the case"},
	{.name = "status", .column = "status", .type = FIELD_CHOICE, .choices = statuses,
	 .offset = offsetof(struct task, status),
	 .example = "\"needs_action\"",
	 .help = "how far the work is"},
	{.name = "due_on", .column = "due_on", .type = FIELD_DATE, .flags = FIELD_REQUIRED,
	 .offset = offsetof(struct task, due_on), .example = "\"2027-02-14\"",
	 .help = "the day on which the task is due"},
	{.name = "title", .column = "title", .type = FIELD_TEXT, .limit = 255,
	 .flags = FIELD_REQUIRED | FIELD_NOT_BLANK | FIELD_ONE_LINE,
	 .offset = offsetof(struct task, title), .example = "\"Call the witness\"",
	 .help = "the name of the task"},
	{.name = "title_folded", .column = "title_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN | FIELD_SEARCHED, .offset = offsetof(struct task, title_folded),
	 .help = "the title as it is searched and sorted"},
	{.name = "body", .column = "body", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct task, body), .example = "\"Ask about the delivery.\"",
	 .help = "a description, and notes"},
	{.name = "address", .column = "address_", .type = FIELD_ADDRESS,
	 .offset = offsetof(struct task, address), .help = "where the task is to be done"},
	{.name = "users_list", .type = FIELD_ID_LIST, .link = &users, .limit = TASK_USERS_MAX,
	 .offset = offsetof(struct task, users_list),
	 .example = "[1, 2]",
	 .help = "the staff members that the task is assigned to"},
	{.name = "unassigned", .column = "unassigned", .type = FIELD_CHOICE,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct task, unassigned),
	 .help = "whether users_list is empty"},
	{.name = "alert_at", .column = "alert_at", .type = FIELD_TIMESTAMP, .flags = FIELD_ALERT,
	 .offset = offsetof(struct task, alert_at), .example = "\"2027-02-13T08:30:00Z\"",
	 .help = "when the staff members in `users_list` get an e-mail. A date alone means the account's "
		 "alert hour on that day in its time zone, by default midnight UTC"},
	{.name = "alert_sent_at", .column = "alert_sent_at", .type = FIELD_TIMESTAMP,
	 .flags = FIELD_READ_ONLY, .offset = offsetof(struct task, alert_sent_at),
	 .help = "when the first e-mail of `alert_at` was sent"},
	{.name = "complete_at", .column = "complete_at", .type = FIELD_TIMESTAMP,
	 .offset = offsetof(struct task, complete_at),
	 .help = "when the task was completed. It is allowed only with status `complete`. If a task "
		 "becomes complete and you give none, it gets the time of the change"},
	RECORD_TIMES(struct task),
};


static const struct filter filters[] = {
	{.name = "title", .field = "title_folded", .op = FILTER_CONTAINS,
	 .help = "whose title contains this text; case and the encoding of accents make no difference"},
	{.name = "calendar", .field = "calendar_id", .help = "in one of these calendars"},
	{.name = "case", .field = "casefile_id", .none = true, .help = "of one of these cases"},
	{.name = "subject", .field = "subject_id", .none = true, .help = "about one of these subjects"},
	{.name = "user", .field = "users_list", .none = true, .help = "that are assigned to one of these staff members"},
	{.name = "status", .field = "status", .help = "with one of these statuses"},
	{.name = "due_from", .also = {"from", "From"}, .field = "due_on", .op = FILTER_FROM,
	 .help = "that are due then or later"},
	{.name = "due_to", .also = {"to", "To"}, .field = "due_on", .op = FILTER_TO,
	 .help = "that are due then or earlier"},
	FROM_TO("complete", "complete_at", "that were completed"),
	FROM_TO("alert", "alert_at", "whose alert time is"),
	FROM_TO("alert_sent", "alert_sent_at", "whose alert was sent"),
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

/* Whether the request gives a new complete_at. The stored one does not count: a client may send
 * back a whole record with another status. */
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
	/* With a status at fault, nobody knows whether it should be complete. */
	if (is_completed(task, before, given) && task->status != TASK_COMPLETE &&
	    !(at_fault & field_bit(&task_type, "status")))
		faults_add(faults, "task.complete_at", FAULT_NOT_ALLOWED,
			   "is allowed only with status complete");
	if ((given & field_bit(&task_type, "complete_at")) && task->complete_at == TIME_NONE &&
	    task->status == TASK_COMPLETE && before && before->status == TASK_COMPLETE)
		faults_add(faults, "task.complete_at", FAULT_REQUIRED,
			   "is required while the status is complete");
}

/* Fills in title_folded and unassigned. Sets complete_at when the status becomes complete and none
 * is given, and clears it with any other status. Clears alert_sent_at when alert_at changes. */
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
