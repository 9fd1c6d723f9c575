/* SPDX-License-Identifier: MIT */
/* Finds the dialect that a driver names. */
#include "dialect_private.h"

const struct sql_dialect *sql_dialect(const struct db_driver *driver)
{
	static const struct sql_dialect *const dialects[] = {
		[DB_SQLITE] = &sqlite_dialect,
		[DB_POSTGRES] = &postgres_dialect,
	};

	return dialects[driver->kind];
}
