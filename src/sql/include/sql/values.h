/* SPDX-License-Identifier: MIT */
/* Converts records to the values of statements and back. */
#ifndef SQL_VALUES_H
#define SQL_VALUES_H

#include "base/arena.h"
#include "db/db.h"
#include "model/records.h"

/* Writes the field_columns() values of a field. */
void field_to_values(const struct field *field, const void *at, struct db_value *values);

/* A time as a value: TIME_NONE is NULL. */
struct db_value value_of_time(int64_t time);
int64_t time_of_value(const struct db_value *value);

/* Reads a row of record_sql.select into a zeroed struct. Texts are not copied. */
enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *record);

/* Copies the texts of a record into the arena. */
enum err record_keep(const struct record_type *type, void *record, struct arena *arena);

#endif
