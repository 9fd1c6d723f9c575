/* SPDX-License-Identifier: MIT */
/* Row functions that many callers use. */
#include "db/db.h"

enum err db_number(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	if (values[0].type == DB_INT)
		*(int64_t *)context = values[0].integer;
	return OK;
}
