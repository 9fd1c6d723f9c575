/* SPDX-License-Identifier: MIT */
/* Compares the clock with the last change when docket starts. */
#include "accounts/accounts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "serve_private.h"

#define YEAR (366 * 86400)

enum err clock_check(struct store *store)
{
	char clock[TIMESTAMP_LEN], last[TIMESTAMP_LEN];
	int64_t now, at;
	enum err err = store_last_time(store, &at);

	now = clock_now(&system_clock); /* after `at`: other processes may write */
	if (err) {
		log_line("cannot read the time of the last change: %s", err_text(err));
		return err;
	}
	if (at == TIME_MIN || (now >= at && now - at <= YEAR))
		return OK;
	timestamp_write(now, clock);
	timestamp_write(at, last);
	log_line("warning: the clock says %.*s, which is %s the last change, at %.*s: %s",
		 TIMESTAMP_LEN, clock, now < at ? "before" : "more than a year after",
		 TIMESTAMP_LEN, last,
		 now < at ? "changes get the time of the last one until the clock has passed it"
			  : "if the clock is wrong, stop docket and set it, because the times of "
			    "changes never go back");
	return OK;
}
