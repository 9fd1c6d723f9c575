/* SPDX-License-Identifier: MIT */
/* The rule of docket check about the chain of the history. It reports the first wrong entry of each
 * account. */
#include "check_private.h"
#include "records/history_chain.h"

static enum err chain_on_break(void *context, const struct history_break *found)
{
	struct check *check = context;
	const struct check_entry entry = {.account_id = found->account_id,
					  .record = "change",
					  .id = found->change,
					  .what = found->what};

	return check_add(check, &check->results[CHECK_HISTORY_CHAIN], &entry);
}

/* Reads one snapshot. */
enum err check_history_chain(struct check *check)
{
	enum err err = check->store->driver->begin(check->db);

	return err ? err : history_verify(check->db, false, chain_on_break, check);
}
