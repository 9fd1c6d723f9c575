/* SPDX-License-Identifier: MIT */
/* Which writes run again after their transaction has failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "db/retry.h"

/* For each error: how many of eight writes run together next time, whether a single one runs alone
 * once more when it has run with others before, and whether all do on a new connection. */
static void after_each_error(void **state)
{
	static const struct {
		enum err err;
		unsigned of_eight, of_one;
		bool reconnects;
	} rows[] = {
		{OK, 0, 0, false},
		{ERR_NOMEM, 4, 0, false},
		{ERR_NOT_FOUND, 4, 0, false},
		{ERR_EXISTS, 4, 0, false},
		{ERR_BUSY, 1, 1, false},
		{ERR_IN_PROGRESS, 4, 0, false},
		{ERR_TIMEOUT, 4, 0, false},
		{ERR_FULL, 4, 0, false},
		{ERR_IO, 4, 0, false},
		{ERR_UNKNOWN_STATE, 0, 0, false},
		{ERR_UNREACHABLE, 0, 0, true},
		{ERR_COMMIT_UNKNOWN, 0, 0, false},
		{ERR_CORRUPT, 4, 0, false},
		{ERR_SCHEMA, 4, 0, false},
		{ERR_CONSTRAINT, 4, 1, false},
		{ERR_INVALID, 4, 0, false},
		{ERR_STOPPED, 4, 0, false},
		{ERR_INTERNAL, 4, 0, false},
	};

	(void)state;
	assert_int_equal(COUNT_OF(rows), ERR_INTERNAL + 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t of_eight = retry_together(rows[i].err, 8, 8);
		size_t of_one = retry_together(rows[i].err, 1, 8);

		if (of_eight != rows[i].of_eight || of_one != rows[i].of_one)
			fail_msg("%s: %zu %zu", err_text(rows[i].err), of_eight, of_one);
		if (retry_together(rows[i].err, 1, 1))
			fail_msg("%s: alone, for ever", err_text(rows[i].err));
		if (retry_reconnects(rows[i].err, 1) != rows[i].reconnects ||
		    retry_reconnects(rows[i].err, 2))
			fail_msg("%s: on a new connection", err_text(rows[i].err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_each_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
