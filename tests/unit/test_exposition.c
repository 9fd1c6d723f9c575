/* SPDX-License-Identifier: MIT */
/* Prometheus' text format: what is escaped, numbers, and histograms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/array.h"
#include "metrics/exposition.h"

static void shows(struct buf *out, const char *expected)
{
	buf_add_char(out, '\0');
	assert_false(out->failed);
	assert_string_equal(out->ptr, expected);
	buf_release(out);
}

static void help_is_escaped(void **state)
{
	const struct family family = {"a_total", "counter", "a \\ and\nb, \"c\""};
	struct buf out = {0};

	(void)state;
	exposition_family(&out, &family);
	shows(&out, "# HELP a_total a \\\\ and\\nb, \"c\"\n# TYPE a_total counter\n");
}

static void labels_are_escaped(void **state)
{
	const struct label labels[] = {{"a", "\"x\"\\y\nz"}, {NULL, NULL}, {"b", "\xc3\xbc{},="}};
	struct buf out = {0};

	(void)state;
	exposition_sample(&out, "name", "_sum", labels, COUNT_OF(labels), (struct amount){3, 0});
	exposition_sample(&out, "name", "", labels + 1, 1, (struct amount){4, 0});
	shows(&out, "name_sum{a=\"\\\"x\\\"\\\\y\\nz\",b=\"\xc3\xbc{},=\"} 3\nname 4\n");
}

static void numbers_are_exact(void **state)
{
	static const struct {
		struct amount amount;
		const char *text;
	} rows[] = {
		{{0, 0}, "n 0\n"},
		{{-7, 0}, "n -7\n"},
		{{0, 6}, "n 0\n"},
		{{1, 6}, "n 0.000001\n"},
		{{1500000, 6}, "n 1.5\n"},
		{{-1500, 3}, "n -1.5\n"},
		{{-5, 3}, "n -0.005\n"},
		{{1000, 3}, "n 1\n"},
		{{INT64_MAX, 0}, "n 9223372036854775807\n"},
		{{INT64_MAX, 6}, "n 9223372036854.775807\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf out = {0};

		exposition_sample(&out, "n", "", NULL, 0, rows[i].amount);
		shows(&out, rows[i].text);
	}
}

static void buckets_add_up(void **state)
{
	const int64_t bounds[] = {250, 1000, 0};
	const uint64_t counts[] = {2, 0, 3};
	const struct label label = {"of", "x"};
	struct buf out = {0};

	(void)state;
	exposition_histogram(&out, "h", &label, 1, bounds, counts, COUNT_OF(counts),
			     (struct amount){12345, 3});
	shows(&out, "h_bucket{of=\"x\",le=\"0.25\"} 2\n"
		    "h_bucket{of=\"x\",le=\"1\"} 2\n"
		    "h_bucket{of=\"x\",le=\"+Inf\"} 5\n"
		    "h_sum{of=\"x\"} 12.345\n"
		    "h_count{of=\"x\"} 5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_is_escaped),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(buckets_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
