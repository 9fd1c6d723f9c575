/* SPDX-License-Identifier: MIT */
/* Lets the tallies follow the tasks, in the transaction of each change. */
#include "records/task_tally.h"

#include "base/timefmt.h"
#include "sql/tallies.h"
#include "store/state.h"

static int64_t task_tally_value(const struct task *task, enum tally_field field)
{
	switch (field) {
	case TALLY_STATUS:
		return task->status;
	case TALLY_CALENDAR:
		return task->calendar_id;
	default:
		return task->alert_at != TIME_NONE;
	}
}

void task_tally_follow(struct store_write *write, const struct task *before,
		       const struct task *after)
{
	struct buf *noted = write->account->tallies;
	int64_t account_id = write->scope.account_id;

	for (enum tally_field field = 0; field < TALLY_FIELDS && noted; field++) {
		int64_t old = before ? task_tally_value(before, field) : 0;
		int64_t new = after ? task_tally_value(after, field) : 0;

		if (before && after && old == new)
			continue;
		if (before)
			tallies_note(noted, account_id, field, old, before->record.id, -1);
		if (after)
			tallies_note(noted, account_id, field, new, after->record.id, 1);
	}
}
