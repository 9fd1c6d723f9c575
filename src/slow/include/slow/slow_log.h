/* SPDX-License-Identifier: MIT */
/* Logs the statements that take long: how long, for which account and request, the statement
 * without the values of its arguments, and the shape of its plan.
 *
 *	const struct slow_log_config config = {.bound_ms = 1000, .connect = connect, …};
 *	struct slow_log *log = slow_log_new(&config);
 *
 *	db->slow = slow_log_watch(log); // of each connection
 *	…
 *	slow_log_free(log); // when no connection runs a statement any more
 *
 * A thread of its own asks for the plan, over a connection of its own, so nobody waits for it. It
 * logs at most SLOW_LOG_PER_MINUTE statements a minute, and a few that come while it asks, and says
 * how many more there were. */
#ifndef SLOW_SLOW_LOG_H
#define SLOW_SLOW_LOG_H

#include "db/db.h"

#define SLOW_LOG_PER_MINUTE 20

struct slow_log;

struct slow_log_config {
	int64_t bound_ms; /* a statement that takes as long is slow */
	/* Opens a connection that reads. Called on the log's thread. */
	enum err (*connect)(void *context, struct db **db_out);
	void *context;
	const char *account_name; /* a statement: the name of account $1 */
};

/* NULL: no memory, or no thread; it logs that. */
struct slow_log *slow_log_new(const struct slow_log_config *config);
struct slow_watch *slow_log_watch(struct slow_log *log);
/* How many statements were slow, also those that were not logged. NULL is accepted. */
uint64_t slow_log_count(const struct slow_log *log);
/* Logs those that still wait, without their plans. NULL is accepted. */
void slow_log_free(struct slow_log *log);

#endif
