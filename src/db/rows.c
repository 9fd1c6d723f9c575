/* SPDX-License-Identifier: MIT */
/* What many callers do with a row. */
#include "db/db.h"

enum err db_number(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	if (values[0].type == DB_INT)
		*(int64_t *)context = values[0].integer;
	return OK;
}
