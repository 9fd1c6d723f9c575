/* SPDX-License-Identifier: MIT */
/* Tasks: the record, and the rules that go over more than one field. */
#ifndef MODEL_TASK_H
#define MODEL_TASK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
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
	int64_t casefile_id; /* ID_NONE: a task without a case */
	int64_t calendar_id;
	int64_t subject_id;      /* ID_NONE or a subject of casefile_id */
	int64_t case_service_id; /* ID_NONE or a service attached to casefile_id */
	int32_t status;          /* enum task_status */
	int32_t due_on;          /* a floating date */
	struct slice title;
	struct slice title_folded; /* what titles are searched and sorted by; text_fold() */
	struct slice body;
	struct address *address; /* NULL: none */
	struct id_list users_list;
	int32_t unassigned; /* 1 where users_list is empty */
	int64_t alert_at;   /* TIME_NONE: no alert */
	int64_t alert_sent_at;
	int64_t complete_at; /* TIME_NONE unless the status is complete */
};

extern const struct record_type task_type;

/* What the database knows of the records that a task names. An id that the task does not name
 * is not asked for. */
struct task_facts {
	bool casefile_exists;
	bool calendar_exists;
	bool subject_exists;
	int64_t subject_casefile_id;
	bool case_service_exists;
	bool case_service_attached;       /* to the task's case */
	bool user_exists[TASK_USERS_MAX]; /* by the index in users_list */
};

/* The rules between fields that need no database, for a decoded new task: `given` is the set of
 * fields that came with a value, `at_fault` of those that are wrong in themselves. */
void task_check_new(const struct task *task, uint64_t given, uint64_t at_fault,
		    struct faults *faults);

/* The rules over the records that the task names. Only of fields in `valid`: one that is at fault
 * already is not judged again. Paths are as "task.subject_id". */
void task_check_references(const struct task *task, uint64_t valid, const struct task_facts *facts,
			   struct faults *faults);

/* Fills in what follows from the rest: title_folded, unassigned and, at the time `now`,
 * complete_at. */
enum err task_settle(struct task *task, struct arena *arena, int64_t now);

#endif
