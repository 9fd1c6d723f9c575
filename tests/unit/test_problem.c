/* SPDX-License-Identifier: MIT */
/* How each error of the store is answered: its status, when to try again, and whether a client may
 * be told that nothing was stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/pipeline_private.h"

static void answers(void **state)
{
	static const struct {
		enum err err;
		unsigned status;
		unsigned retry_after;
		bool unstored;
	} rows[] = {
		{ERR_NOMEM, 503, 5, true},           {ERR_NOT_FOUND, 404, 0, false},
		{ERR_EXISTS, 500, 0, false},         {ERR_BUSY, 503, 1, true},
		{ERR_IN_PROGRESS, 409, 1, false},    {ERR_TIMEOUT, 503, 5, true},
		{ERR_FULL, 503, 60, true},           {ERR_IO, 503, 60, true},
		{ERR_UNKNOWN_STATE, 503, 10, false}, {ERR_UNREACHABLE, 503, 1, true},
		{ERR_COMMIT_UNKNOWN, 503, 5, false}, {ERR_CORRUPT, 500, 0, false},
		{ERR_SCHEMA, 500, 0, false},         {ERR_CONSTRAINT, 500, 0, false},
		{ERR_INVALID, 500, 0, false},        {ERR_STOPPED, 503, 5, true},
		{ERR_INTERNAL, 500, 0, false},
	};

	(void)state;
	assert_int_equal(COUNT_OF(rows), ERR_INTERNAL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct err_answer *answer = err_answer(rows[i].err);

		if (problem_rows[answer->code].status != rows[i].status ||
		    answer->unstored != rows[i].unstored ||
		    answer->retry_after != rows[i].retry_after)
			fail_msg("%s: %u %s", err_text(rows[i].err),
				 problem_rows[answer->code].status,
				 answer->unstored ? "and nothing was stored" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
