/* SPDX-License-Identifier: MIT */
/* The rules of each kind of record. */
#include "model/rules.h"

#include "model/calendar.h"
#include "model/case_service.h"
#include "model/casefile.h"
#include "model/staff.h"
#include "model/subject.h"
#include "model/task.h"

static void check_staff(const void *record, const void *before, uint64_t given, uint64_t at_fault,
			struct faults *faults)
{
	(void)given;
	(void)at_fault;
	staff_check(record, before, faults);
}

const struct record_rules record_rules[RECORD_KINDS] = {
	[RECORD_STAFF] = {.check = check_staff, .settle = staff_settle},
	[RECORD_CALENDAR] = {.check = calendar_check, .settle = calendar_settle},
	[RECORD_CASE_SERVICE] = {.settle = case_service_settle},
	[RECORD_CASEFILE] = {.settle = casefile_settle},
	[RECORD_SUBJECT] = {.check = subject_check, .settle = subject_settle},
	[RECORD_TASK] = {.check = task_check, .settle = task_settle},
};

const char *const record_nouns[RECORD_KINDS] = {
	[RECORD_STAFF] = "staff member",        [RECORD_CALENDAR] = "calendar",
	[RECORD_CASE_SERVICE] = "case service", [RECORD_CASEFILE] = "case",
	[RECORD_SUBJECT] = "subject",           [RECORD_TASK] = "task",
};
