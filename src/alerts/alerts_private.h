/* SPDX-License-Identifier: MIT */
/* Rows of the ledger and its clock, for the files of alerts/. */
#ifndef ALERTS_ALERTS_PRIVATE_H
#define ALERTS_ALERTS_PRIVATE_H

#include "model/alert.h"
#include "store/state.h"

/* The columns of a row. alert_from_row() reads them, and copies the answer. */
#define ALERT_COLUMNS                                                                          \
	"account_id, task_id, staff_id, alert_at, state, reason, attempts, due_at, ended_at, " \
	"answer, uncertain"
enum err alert_from_row(const struct db_value *values, struct arena *arena,
			struct alert_row *row_out);
#define ALERT_IS " WHERE account_id = $1 AND task_id = $2 AND staff_id = $3 AND alert_at = $4"

#define ALERT_RETRY_MOST_S (60 * 60) /* the longest wait for another attempt */

/* Lists the statement that writes a row that exists. The row must live until it was run. */
enum err alert_write_row(const struct alert_row *row, struct calls *calls);

/* Sets `now` to the time by the ledger's clock: at once, or when the calls were run. */
enum err ledger_ask_now(const struct store *store, int64_t *now, struct calls *calls);

#endif
