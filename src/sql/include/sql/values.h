/* SPDX-License-Identifier: MIT */
/* Records to and from the values of statements. */
#ifndef SQL_VALUES_H
#define SQL_VALUES_H

#include "base/arena.h"
#include "db/db.h"
#include "model/records.h"

/* One field's values: field_columns() of them. */
void field_to_values(const struct field *field, const void *at, struct db_value *values);

/* Reads a row of record_sql.select into a zeroed struct; texts are not copied. */
enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *record);

/* Copies what a record points at into the arena. */
enum err record_keep(const struct record_type *type, void *record, struct arena *arena);

#endif
