/* SPDX-License-Identifier: MIT */
/* Sets of ids as SQL functions. */
#include "sqlite_bits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

#define FIRST_ROOM 16

/* SQLite zeroes it before the first id. */
struct set {
	struct db_bits *parts; /* in the order in which they came */
	uint32_t *sorted;      /* their places, in the order of their numbers */
	uint32_t count, room, latest;
	bool failed;
};

static bool set_grow(struct set *set)
{
	const uint32_t room = set->room ? set->room * 2 : FIRST_ROOM;
	struct db_bits *parts = sqlite3_realloc64(set->parts, room * sizeof(*parts));
	uint32_t *sorted;

	if (!parts)
		return false;
	set->parts = parts;
	sorted = sqlite3_realloc64(set->sorted, room * sizeof(*sorted));
	if (!sorted)
		return false;
	set->sorted = sorted;
	set->room = room;
	return true;
}

/* The part with the number, which is made if there is none. NULL: out of memory. */
static struct db_bits *set_part(struct set *set, int64_t number)
{
	uint32_t low = 0, high = set->count;

	if (set->count && set->parts[set->latest].number == number)
		return &set->parts[set->latest];
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (set->parts[set->sorted[middle]].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == set->count || set->parts[set->sorted[low]].number != number) {
		if (set->count == set->room && !set_grow(set))
			return NULL;
		memmove(&set->sorted[low + 1], &set->sorted[low],
			(set->count - low) * sizeof(*set->sorted));
		set->sorted[low] = set->count;
		set->parts[set->count++] = (struct db_bits){.number = number};
	}
	set->latest = set->sorted[low];
	return &set->parts[set->latest];
}

static void bits_step(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct set *set = sqlite3_aggregate_context(context, sizeof(*set));
	const uint64_t id = (uint64_t)sqlite3_value_int64(values[0]);
	struct db_bits *part;

	(void)count;
	if (!set || set->failed)
		return;
	part = set_part(set, (int64_t)(id / DB_BITS_IDS));
	if (part)
		part->bytes[id % DB_BITS_IDS / 8] |= (unsigned char)(1 << id % 8);
	else
		set->failed = true;
}

static int part_compare(const void *a, const void *b)
{
	const struct db_bits *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

/* SQLite calls it also when a statement ends early. */
static void bits_final(sqlite3_context *context)
{
	struct set *set = sqlite3_aggregate_context(context, 0);

	if (!set) {
		sqlite3_result_zeroblob(context, 0);
		return;
	}
	sqlite3_free(set->sorted);
	if (set->failed) {
		sqlite3_free(set->parts);
		sqlite3_result_error_nomem(context);
		return;
	}
	qsort(set->parts, set->count, sizeof(*set->parts), part_compare);
	sqlite3_result_blob64(context, set->parts, set->count * sizeof(*set->parts), sqlite3_free);
}

/* The parts are not aligned. */
static int64_t number_at(const unsigned char *parts, size_t at)
{
	int64_t number;

	memcpy(&number, parts + at * sizeof(struct db_bits), sizeof(number));
	return number;
}

static void bit_call(sqlite3_context *context, int count, sqlite3_value **values)
{
	const unsigned char *parts = sqlite3_value_blob(values[0]);
	const size_t all = (size_t)sqlite3_value_bytes(values[0]) / sizeof(struct db_bits);
	const uint64_t id = (uint64_t)sqlite3_value_int64(values[1]);
	const int64_t number = (int64_t)(id / DB_BITS_IDS);
	size_t low = 0, high = all;

	(void)count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (number_at(parts, middle) < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == all || number_at(parts, low) != number) {
		sqlite3_result_int(context, 0);
		return;
	}
	parts += low * sizeof(struct db_bits) + offsetof(struct db_bits, bytes);
	sqlite3_result_int(context, parts[id % DB_BITS_IDS / 8] >> id % 8 & 1);
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
