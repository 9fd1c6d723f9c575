/* SPDX-License-Identifier: MIT */
/* The tallies follow the tasks. */
#ifndef RECORDS_TASK_TALLY_H
#define RECORDS_TASK_TALLY_H

#include "model/task.h"
#include "store/store.h"

/* Notes what a change of a task changes in the tallies. `before` NULL: the task is new; `after`
 * NULL: it is deleted. */
void task_tally_follow(struct store_write *write, const struct task *before,
		       const struct task *after);

#endif
