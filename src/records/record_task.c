/* SPDX-License-Identifier: MIT */
/* What a change of a task does besides the steps of every record: if its alert moves back to a time
 * for which a message was sent, it was sent then. */
#include "base/timefmt.h"
#include "model/alert.h"
#include "model/task.h"
#include "record_extra.h"
#include "store/state.h"

_Static_assert(ALERT_SENT == 2, "the statement has this number");

static enum err task_read(struct record_write *write, struct calls *calls)
{
	const struct task *before = write->before, *after = write->record;
	int64_t *sent_at;

	if (write->action != RECORD_UPDATE || after->alert_at == TIME_NONE ||
	    after->alert_at == before->alert_at)
		return OK;
	sent_at = arena_alloc(write->write.arena, sizeof(*sent_at));
	if (!sent_at)
		return ERR_NOMEM;
	*sent_at = TIME_NONE;
	write->extra = sent_at;
	return calls_ask(calls,
			 "SELECT min(ended_at) FROM alert WHERE account_id = $1 AND task_id = $2"
			 " AND alert_at = $3 AND state = 2",
			 db_number, sent_at, DB_INT_VALUE(write->write.scope.account_id),
			 DB_INT_VALUE(write->id), DB_INT_VALUE(after->alert_at));
}

static void task_derive_sent(struct record_write *write)
{
	const int64_t *sent_at = write->extra;

	if (sent_at)
		((struct task *)write->record)->alert_sent_at = *sent_at;
}

const struct record_extra task_extra = {.read = task_read, .derive = task_derive_sent};
