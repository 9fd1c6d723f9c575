/* SPDX-License-Identifier: MIT */
/* The rule of docket check about time zones. What it finds is no damage: an update of tzdata can
 * remove a zone. */
#include "base/text.h"
#include "base/zone.h"
#include "check_private.h"

struct zone_walk {
	struct check *check;
	struct arena arena; /* has the present zone */
	const char *zone;
	bool known;
};

static enum err zone_row(void *context, const struct db_value *values, size_t count)
{
	struct zone_walk *walk = context;
	const bool staff = values[2].integer != ID_NONE;
	struct check_entry entry = {.account_id = values[1].integer,
				    .record = staff ? "staff" : "account",
				    .id = values[staff ? 2 : 1].integer};

	(void)count;
	if (!walk->zone || !slice_is(values[0].bytes, walk->zone)) {
		arena_release(&walk->arena);
		walk->zone = arena_copy(&walk->arena, values[0].bytes);
		if (!walk->zone)
			return ERR_NOMEM;
		walk->known = zone_is_known(walk->zone);
	}
	if (walk->known)
		return OK;
	entry.what = text_is_utf8(values[0].bytes) ? walk->zone : "?";
	return check_add(walk->check, &walk->check->results[CHECK_ZONES], &entry);
}

enum err check_zones(struct check *check)
{
	struct zone_walk walk = {.check = check};
	const struct db_call call = {
		.sql = "SELECT time_zone, id, 0 FROM account"
		       " UNION ALL SELECT time_zone, account_id, id FROM staff ORDER BY 1, 2, 3",
		.on_row = zone_row,
		.context = &walk,
	};
	enum err err = check->store->driver->run(check->db, &call, 1);

	arena_release(&walk.arena);
	return err;
}
