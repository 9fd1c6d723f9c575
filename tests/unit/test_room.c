/* SPDX-License-Identifier: MIT */
/* Which heads are refused, and how much room the others leave for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "http/guard.h"
#include "http/room.h"

static void heads(void **state)
{
	static const struct {
		size_t head, kept, target;
		unsigned status;
	} rows[] = {
		{100, 128, 20, 0},
		{ROOM_HEAD_MAX, 0, 20, 0},
		{ROOM_HEAD_MAX + 1, 0, 20, 431},
		{ROOM_HEAD_MAX + 1, 0, ROOM_HEAD_MAX / 2 + 1, 414},
		{ROOM_HEAD_MAX - ROOM_PER_HEADER, ROOM_PER_HEADER, 20, 0},
		{ROOM_HEAD_MAX - ROOM_PER_HEADER + 1, ROOM_PER_HEADER, 20, 431},
		{1000, ROOM_KEPT_MAX, 20, 0},
		{1000, ROOM_KEPT_MAX + 1, 20, 431},
		{CONNECTION_MEMORY, 0, 20, 431},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct room room = {rows[i].head, rows[i].kept};
		struct refusal refusal = room_check(&room, rows[i].target);

		assert_int_equal(refusal.status, rows[i].status);
		assert_int_equal(refusal.why != NULL, rows[i].status != 0);
	}
}

/* No accepted head is cramped, and a larger head leaves less room. */
static void every_head(void **state)
{
	(void)state;
	for (size_t kept = 0; kept <= ROOM_KEPT_MAX; kept += ROOM_PER_HEADER) {
		size_t before = CONNECTION_MEMORY;

		for (size_t head = 0; head < CONNECTION_MEMORY; head += 61) {
			struct room room = {head, kept};

			assert_true(room_left(&room) <= before);
			before = room_left(&room);
			if (room_check(&room, 0).status == 0)
				assert_false(room_is_cramped(&room));
		}
		assert_int_equal(before, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(every_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
