/* SPDX-License-Identifier: MIT */
/* The targets of requests: which part is the path, and which targets are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "http/guard.h"

static void targets(void **state)
{
	static const struct {
		const char *target;
		const char *path; /* NULL: refused */
		const char *query;
		const char *authority;
	} rows[] = {
		{"/", "/", ""},
		{"*", "*", ""},
		{"/api/v1/tasks", "/api/v1/tasks", ""},
		{"/a?b=c&d", "/a", "b=c&d"},
		{"/a?", "/a", ""},
		{"/a?b?c%2", "/a", "b?c%2"},
		{"/%61%C3%A9", "/a\xc3\xa9", ""},
		{"http://example.com/a?b", "/a", "b", "example.com"},
		{"HTTPS://example.com:1/a", "/a", "", "example.com:1"},
		{"http://example.com", "/", "", "example.com"},
		{"", NULL, NULL},
		{"a", NULL, NULL},
		{"example.com:80", NULL, NULL},
		{"http:/a", NULL, NULL},
		{"http:///a", NULL, NULL},
		{"http://", NULL, NULL},
		{"/a%2Fb", NULL, NULL},
		{"/a%2fb", NULL, NULL},
		{"/a%00", NULL, NULL},
		{"/a%", NULL, NULL},
		{"/a%4", NULL, NULL},
		{"/a%4g", NULL, NULL},
		{"/a%ff", NULL, NULL},
		{"/a b", NULL, NULL},
		{"/a\tb", NULL, NULL},
		{"/a?b\x7f", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		struct slice path = SLICE(""), query = SLICE(""), authority = SLICE("");
		const char *why =
			guard_target(&arena, slice_of(rows[i].target), &path, &query, &authority);
		const char *wanted = rows[i].authority ? rows[i].authority : "";

		if (!rows[i].path != (why != NULL))
			fail_msg("%s: %s", rows[i].target, why ? why : "was taken");
		if (!why && (!slice_is(path, rows[i].path) || !slice_is(query, rows[i].query)))
			fail_msg("%s: %.*s and %.*s", rows[i].target, (int)path.len, path.ptr,
				 (int)query.len, query.ptr);
		if (!why && !slice_is(authority, wanted))
			fail_msg("%s: %.*s", rows[i].target, (int)authority.len, authority.ptr);
		arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(targets)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
