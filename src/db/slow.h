/* SPDX-License-Identifier: MIT */
/* How the drivers measure their statements. The clock is the coarse one: reading it takes a few
 * nanoseconds, and it moves on every 1 to 10 ms. */
#ifndef DB_SLOW_H
#define DB_SLOW_H

#include <time.h>

#include "db/db.h"

/* The time, for slow_note(); 0 if nobody wants slow statements. */
static inline int64_t slow_clock(const struct db *db)
{
	struct timespec now;

	if (!db->slow)
		return 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* A statement has ended that began at `began`. Returns the time, at which the next one begins. */
static inline int64_t slow_note(const struct db *db, const struct db_call *call, int64_t began)
{
	int64_t now = slow_clock(db);

	if (db->slow && now - began >= db->slow->bound_ms)
		db->slow->tell(db->slow, db, call, now - began);
	return now;
}

/* Appends a node to the shape of a plan. */
static inline void plan_add(struct buf *plan, struct slice node)
{
	if (plan->len)
		buf_add_text(plan, "; ");
	buf_add_slice(plan, node);
}

#endif
