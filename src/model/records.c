/* SPDX-License-Identifier: MIT */
/* All kinds of records. */
#include "model/records.h"

#include "model/calendar.h"
#include "model/case_service.h"
#include "model/casefile.h"
#include "model/staff.h"
#include "model/subject.h"
#include "model/task.h"

const struct record_type *const record_types[RECORD_KINDS] = {
	[RECORD_STAFF] = &staff_type,
	[RECORD_CALENDAR] = &calendar_type,
	[RECORD_CASE_SERVICE] = &case_service_type,
	[RECORD_CASEFILE] = &casefile_type,
	[RECORD_SUBJECT] = &subject_type,
	[RECORD_TASK] = &task_type,
};
