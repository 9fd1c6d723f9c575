/* SPDX-License-Identifier: MIT */
/* Tasks. */
#ifndef MODEL_TASK_H
#define MODEL_TASK_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/address.h"
#include "model/field.h"

#define TASK_USERS_MAX 100

enum task_status {
	TASK_NONE,
	TASK_NEEDS_ACTION,
	TASK_IN_PROGRESS,
	TASK_COMPLETE,
};

struct task {
	struct record record;
	struct slice external_id; /* "" when there is none */
	int64_t casefile_id;      /* ID_NONE: a task without a case */
	int64_t calendar_id;
	int64_t subject_id;      /* ID_NONE or a subject of casefile_id */
	int64_t case_service_id; /* ID_NONE or a service attached to casefile_id */
	int32_t status;          /* enum task_status */
	int32_t due_on;          /* a floating date */
	struct slice title;
	struct slice title_folded; /* as searched and sorted; by text_fold() */
	struct slice body;
	struct address *address; /* NULL: none */
	struct id_list users_list;
	int32_t unassigned; /* 1: users_list is empty */
	int64_t alert_at;   /* TIME_NONE: no alert */
	int64_t alert_sent_at;
	int64_t complete_at; /* TIME_NONE unless the status is complete */
};

extern const struct record_type task_type;

#endif
