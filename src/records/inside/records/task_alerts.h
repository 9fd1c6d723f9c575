/* SPDX-License-Identifier: MIT */
/* The rows of the ledger of alerts follow the tasks. */
#ifndef RECORDS_TASK_ALERTS_H
#define RECORDS_TASK_ALERTS_H

#include "model/task.h"
#include "sql/calls.h"
#include "store/store.h"

/* Lists what a change of a task changes in the ledger. `before` NULL: the task is new; `after`
 * NULL: it is deleted. Both must live until the calls were run. A task without an alert lists
 * nothing. */
enum err task_alerts_follow(struct store_write *write, const struct task *before,
			    const struct task *after, struct calls *calls);

#endif
