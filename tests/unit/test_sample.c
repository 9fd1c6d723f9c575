/* SPDX-License-Identifier: MIT */
/* Two samples of what a process says: rates are between two of the same process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "top/sample.h"

static json_t *said(int pid, int uptime_s, int jobs)
{
	return json_pack("{s:{s:i,s:i},s:{s:i}}", "process", "pid", pid, "uptime_s", uptime_s,
			 "writes", "jobs", jobs);
}

/* The process has started again between the samples, with another id or with the same. */
static void a_restart(void **state)
{
	static const struct {
		int pid, uptime_s, jobs;
		bool is_same;
	} rows[] = {
		{7, 100, 50, true}, {7, 101, 60, true}, {7, 101, 70, true}, {8, 200, 90, false},
		{8, 201, 95, true}, {8, 0, 3, false},   {8, 1, 5, true},
	};
	struct samples samples = {0};

	(void)state;
	samples_add(&samples, said(7, 99, 40), 1000000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		samples_add(&samples, said(rows[i].pid, rows[i].uptime_s, rows[i].jobs),
			    (int64_t)(i + 2) * 1000000);
		assert_int_equal(samples_have_rates(&samples), rows[i].is_same);
		if (samples_have_rates(&samples))
			assert_true(samples_rate(&samples, "writes", "jobs") > 0);
		else
			assert_true(samples_rate(&samples, "writes", "jobs") < 0);
	}
	samples_release(&samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_restart)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
