/* SPDX-License-Identifier: MIT */
/* Finds the dialect of a driver, and fills in its markers. */
#include "dialects.h"

#include "sql/calls.h"

const struct sql_dialect *sql_dialect(const struct db_driver *driver)
{
	static const struct sql_dialect *const dialects[] = {
		[DB_SQLITE] = &sqlite_dialect,
		[DB_POSTGRES] = &postgres_dialect,
	};

	return dialects[driver->kind];
}

enum err text_index_take_all(const struct text_index *index, struct calls *calls)
{
	enum err err = OK;

	for (size_t i = 0; i < COUNT_OF(index->take) && !err; i++)
		err = calls_add(calls, index->take[i], NULL, 0, NULL, NULL);
	return err;
}

bool markers_fill(const struct sql_marker *markers, const char *sql, struct buf *out)
{
	while (*sql) {
		const char *open = strchr(sql, '{');
		const char *close = open ? strchr(open, '}') : NULL;
		const struct sql_marker *marker = markers;

		if (!close) {
			buf_add_text(out, sql);
			break;
		}
		buf_add(out, sql, (size_t)(open - sql));
		while (marker->name &&
		       !slice_is((struct slice){open + 1, (size_t)(close - open - 1)},
				 marker->name))
			marker++;
		if (!marker->name)
			return false;
		buf_add_text(out, marker->sql);
		sql = close + 1;
	}
	return !out->failed;
}
