/* SPDX-License-Identifier: MIT */
/* Decides which writes run again after their transaction failed. */
#include "db/retry.h"

#define ATTEMPTS_MAX 2 /* a restart of the database may have cut an idle connection */

size_t retry_together(enum err err, size_t count, size_t most)
{
	switch (err) {
	case OK:
	case ERR_UNKNOWN_STATE:  /* nothing may be written any more */
	case ERR_UNREACHABLE:    /* each would wait for the database again */
	case ERR_COMMIT_UNKNOWN: /* they may be stored already */
		return 0;
	case ERR_BUSY: /* run alone, to find those that need the locked row */
		return most > 1 ? 1 : 0;
	case ERR_CONSTRAINT:
		/* Also a single write: what it read may have changed since. In the second run its
		 * step two finds the field that is at fault. */
		return count > 1 ? count / 2 : most > 1 ? 1 : 0;
	default:
		return count / 2;
	}
}

bool retry_reconnects(enum err err, unsigned attempts)
{
	return err == ERR_UNREACHABLE && attempts < ATTEMPTS_MAX;
}
