/* SPDX-License-Identifier: MIT */
/* Runs a read once, on a given connection. */
#include "read_run.h"

#include "cache/record_cache.h"

enum err read_run(struct store_read *read, struct db *db, int budget_ms)
{
	const struct db_driver *driver = read->store->driver;
	struct calls calls = {.arena = read->arena};
	enum err err;

	driver->set_budget(db, budget_ms);
	read->seen = record_cache_seen(read->store->record_cache);
	if (read->append) {
		err = read->append(read, &calls);
		return err ? err : driver->run(db, calls.list, calls.count);
	}
	err = driver->begin(db);
	if (err)
		return err;
	err = read->execute(read, db);
	driver->set_budget(db, 0);
	driver->rollback(db);
	return err;
}
