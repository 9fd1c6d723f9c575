/* SPDX-License-Identifier: MIT */
/* Warns of time zones that tzdata no longer has. */
#include "accounts/accounts.h"
#include "base/log.h"
#include "base/text.h"
#include "base/zone.h"
#include "serve_private.h"

#define SHOWN 20 /* warnings */

struct zone_warnings {
	struct arena arena; /* has the present zone */
	const char *zone;
	bool known;
	size_t count;
};

static enum err zone_warn(void *context, const void *record)
{
	const struct account_zone *of = record;
	struct zone_warnings *warnings = context;

	if (!warnings->zone || !slice_is(of->zone, warnings->zone)) {
		arena_release(&warnings->arena);
		warnings->zone = arena_copy(&warnings->arena, of->zone);
		if (!warnings->zone)
			return ERR_NOMEM;
		warnings->known = zone_is_known(warnings->zone);
	}
	if (!warnings->known && warnings->count++ < SHOWN)
		log_line("warning: account %.*s: this system's tzdata does not have the time zone "
			 "%s: alerts wait until it has, or until the account and its staff have "
			 "another",
			 (int)of->account.len, of->account.ptr,
			 text_shown(&warnings->arena, of->zone, SHOWN_CHARS));
	return OK;
}

enum err zones_check(struct store *store)
{
	struct zone_warnings warnings = {0};
	enum err err = store_account_zones(store, zone_warn, &warnings);

	if (err)
		log_line("cannot read the time zones: %s", err_text(err));
	else if (warnings.count > SHOWN)
		log_line("warning: %zu more accounts have time zones that tzdata does not have",
			 warnings.count - SHOWN);
	arena_release(&warnings.arena);
	return err;
}
