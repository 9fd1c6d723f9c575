/* SPDX-License-Identifier: MIT */
/* Makes the ledger of sample tasks look as if docket had sent their alerts. If a task has an
 * alert_sent_at, a message was accepted. If it has none and was completed after its alert time, the
 * messages were refused. Whoever gets no messages was skipped. */
#include "model/alert.h"
#include "model/staff.h"
#include "samples/samples.h"
#include "store/state.h"

_Static_assert(ALERT_SENT == 2 && ALERT_FAILED == 3 && ALERT_SKIPPED == 4 && ALERT_DISABLED == 2 &&
		       ALERT_NO_ADDRESS == 3 && ALERT_REFUSED == 5 && STAFF_DISABLED == 2,
	       "the statements have these numbers");

/* Whether the staff member `s` gets no messages, and why. */
#define NOBODY "(s.access_level = 2 OR s.email = '')"
#define WHY "CASE WHEN s.access_level = 2 THEN 2 ELSE 3 END"

/* Another message of the same alert was sent. */
#define ANOTHER                                                                          \
	" AND EXISTS (SELECT 1 FROM alert o JOIN staff s ON s.account_id = o.account_id" \
	" AND s.id = o.staff_id WHERE o.account_id = $1 AND o.task_id = alert.task_id"   \
	" AND o.alert_at = alert.alert_at AND o.state = 2 AND NOT " NOBODY ")"

static enum err sample_alerts_decide(struct store_write *write, struct calls *calls)
{
	static const char *const all[] = {
		"UPDATE alert SET state = 4, reason = (SELECT " WHY " FROM staff s"
		" WHERE s.account_id = $1 AND s.id = alert.staff_id)"
		" WHERE account_id = $1 AND state = 2 AND staff_id IN"
		" (SELECT s.id FROM staff s WHERE s.account_id = $1 AND " NOBODY ")" ANOTHER,
		"UPDATE alert SET attempts = 1, answer = '250 2.0.0 Ok: queued'"
		" WHERE account_id = $1 AND state = 2 AND attempts = 0",
		"INSERT INTO alert (account_id, task_id, staff_id, alert_at, state, reason,"
		" attempts, ended_at, answer) SELECT t.account_id, t.id, u.staff_id, t.alert_at,"
		" CASE WHEN " NOBODY " THEN 4 ELSE 3 END, CASE WHEN " NOBODY " THEN " WHY
		" ELSE 5 END, CASE WHEN " NOBODY " THEN 0 ELSE 1 END, t.alert_at + 1,"
		" CASE WHEN " NOBODY " THEN '' ELSE '550 5.1.1 No such user here' END"
		" FROM task t JOIN task_user u ON u.account_id = t.account_id AND u.task_id = t.id"
		" JOIN staff s ON s.account_id = t.account_id AND s.id = u.staff_id"
		" WHERE t.account_id = $1 AND t.alert_at < t.complete_at"
		" AND t.alert_sent_at IS NULL ON CONFLICT DO NOTHING",
	};
	enum err err = OK;

	for (size_t i = 0; i < COUNT_OF(all) && !err; i++)
		err = calls_ask(calls, all[i], NULL, NULL, DB_INT_VALUE(write->scope.account_id));
	return err;
}

enum err store_demo_alerts(struct store *store, const struct scope *scope)
{
	static const struct write_steps steps = {.read = read_nothing,
						 .decide = sample_alerts_decide};
	struct arena arena = {0};
	struct faults faults;
	struct store_write write = {
		.scope = *scope, .arena = &arena, .faults = &faults, .steps = &steps};
	struct store_write *writes = &write;
	enum err err;

	faults_init(&faults, &arena);
	err = store_run(store, &writes, 1);
	arena_release(&arena);
	return err;
}
