/* SPDX-License-Identifier: MIT */
/* Sets of ids as SQL functions. */
#include "sqlite_bits.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "db/db.h"

#define FIRST_BYTES 8192

/* SQLite zeroes it before the first id. */
struct set {
	unsigned char *bytes;
	size_t len, room;
	bool too_large, failed;
};

static bool set_grow(struct set *set, size_t len)
{
	size_t room = set->room ? set->room : FIRST_BYTES;
	unsigned char *bytes;

	while (room < len)
		room *= 2;
	bytes = sqlite3_realloc64(set->bytes, room);
	if (!bytes)
		return false;
	memset(bytes + set->room, 0, room - set->room);
	set->bytes = bytes;
	set->room = room;
	return true;
}

static void bits_step(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct set *set = sqlite3_aggregate_context(context, sizeof(*set));
	int64_t id = sqlite3_value_int64(values[0]);
	size_t at = (size_t)id / 8;

	(void)count;
	if (!set || set->failed || set->too_large)
		return;
	if (id < 0 || id > DB_BITS_ID_MAX) {
		set->too_large = true;
		return;
	}
	if (at >= set->room && !set_grow(set, at + 1)) {
		set->failed = true;
		return;
	}
	if (at >= set->len)
		set->len = at + 1;
	set->bytes[at] |= (unsigned char)(1 << id % 8);
}

/* SQLite calls it also when a statement ends early. */
static void bits_final(sqlite3_context *context)
{
	struct set *set = sqlite3_aggregate_context(context, 0);

	if (!set) {
		sqlite3_result_zeroblob(context, 0);
		return;
	}
	if (set->failed)
		sqlite3_result_error_nomem(context);
	if (set->failed || set->too_large) {
		sqlite3_free(set->bytes);
		return;
	}
	sqlite3_result_blob64(context, set->bytes, set->len, sqlite3_free);
}

static void bit_call(sqlite3_context *context, int count, sqlite3_value **values)
{
	const unsigned char *bytes = sqlite3_value_blob(values[0]);
	size_t len = (size_t)sqlite3_value_bytes(values[0]);
	int64_t id = sqlite3_value_int64(values[1]);

	(void)count;
	sqlite3_result_int(context,
			   id >= 0 && (uint64_t)id / 8 < len && bytes[id / 8] >> id % 8 & 1);
}

int sqlite_add_bits(sqlite3 *handle)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int code = sqlite3_create_function_v2(handle, "docket_bits", 1, flags, NULL, NULL,
					      bits_step, bits_final, NULL);

	return code != SQLITE_OK ? code
				 : sqlite3_create_function_v2(handle, "docket_bit", 2, flags, NULL,
							      bit_call, NULL, NULL, NULL);
}
