/* SPDX-License-Identifier: MIT */
/* Arguments and rows, in the binary form of PostgreSQL's protocol. */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "postgres_private.h"

/* The numbers that pg_type.dat gives to types; they are the same in every database. */
enum {
	OID_BOOL = 16,
	OID_BYTES = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_UNKNOWN = 705, /* a constant */
	OID_CHAR = 1042,   /* character(n) */
	OID_VARCHAR = 1043,
};

static Oid value_type(const struct db_value *value)
{
	static const Oid types[] = {
		[DB_NULL] = 0, /* the server finds out */
		[DB_INT] = OID_INT8,
		[DB_TEXT] = OID_TEXT,
		[DB_BYTES] = OID_BYTES,
	};

	return types[value->type];
}

void postgres_bind(const struct db_call *call, struct postgres_args *args)
{
	assert(call->arg_count <= DB_ARGS_MAX);
	args->count = (int)call->arg_count;
	for (size_t i = 0; i < call->arg_count; i++) {
		const struct db_value *arg = &call->args[i];

		args->formats[i] = 1;
		args->types[i] = value_type(arg);
		args->lengths[i] = (int)arg->bytes.len;
		args->values[i] = arg->type == DB_NULL  ? NULL
				  : arg->bytes.len == 0 ? ""
							: arg->bytes.ptr;
		if (arg->type == DB_INT) {
			args->integers[i] = (int64_t)htobe64((uint64_t)arg->integer);
			args->values[i] = (const char *)&args->integers[i];
			args->lengths[i] = sizeof(args->integers[i]);
		}
	}
}

/* False if the column's type is not among those above. */
static bool value_read(const PGresult *result, int row, int column, struct db_value *value_out)
{
	const char *bytes = PQgetvalue(result, row, column);
	size_t len = (size_t)PQgetlength(result, row, column);
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	if (PQgetisnull(result, row, column)) {
		*value_out = DB_NULL_VALUE;
		return true;
	}
	switch (PQftype(result, column)) {
	case OID_INT8:
		memcpy(&eight, bytes, sizeof(eight));
		*value_out = DB_INT_VALUE((int64_t)be64toh(eight));
		return true;
	case OID_INT4:
		memcpy(&four, bytes, sizeof(four));
		*value_out = DB_INT_VALUE((int32_t)be32toh(four));
		return true;
	case OID_INT2:
		memcpy(&two, bytes, sizeof(two));
		*value_out = DB_INT_VALUE((int16_t)be16toh(two));
		return true;
	case OID_BOOL:
		*value_out = DB_INT_VALUE(*bytes != 0);
		return true;
	case OID_BYTES:
		*value_out = DB_BYTES_VALUE(((struct slice){bytes, len}));
		return true;
	case OID_TEXT:
	case OID_NAME:
	case OID_UNKNOWN:
	case OID_CHAR:
	case OID_VARCHAR:
		*value_out = DB_TEXT_VALUE(((struct slice){bytes, len}));
		return true;
	default:
		return false;
	}
}

enum err postgres_hand_over(struct postgres_db *db, const PGresult *result,
			    const struct db_call *call)
{
	struct db_value values[DB_COLUMNS_MAX];
	int columns = PQnfields(result);
	enum err err = OK;

	assert(columns <= DB_COLUMNS_MAX);
	for (int row = 0; row < PQntuples(result) && call->on_row && !err; row++) {
		for (int i = 0; i < columns; i++)
			if (!value_read(result, row, i, &values[i])) {
				postgres_keep_message(
					db, "a column has a type that docket does not know");
				return ERR_INTERNAL;
			}
		err = call->on_row(call->context, values, (size_t)columns);
	}
	return err;
}
