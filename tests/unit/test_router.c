/* SPDX-License-Identifier: MIT */
/* Which row of a route table a path and a method find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "pipeline/pipeline_private.h"

static const struct route routes[] = {
	{.method = "GET", .path = "/tasks"},
	{.method = "POST", .path = "/tasks"},
	{.method = "POST", .path = "/tasks/bulk"},
	{.method = "GET", .path = "/tasks/{id}"},
	{.method = "PATCH", .path = "/tasks/{id}"},
	{.method = "GET", .path = "/tasks/{id}/history"},
	{.method = "GET", .path = "/health", .open = true},
};
static const struct route_table table = {routes, sizeof(routes) / sizeof(*routes)};

static void finds(void **state)
{
	enum { NO_PATH = -2, NO_METHOD = -1 };
	static const struct {
		const char *method, *path;
		int row; /* of the table */
		const char *id, *allow;
	} rows[] = {
		{"GET", "/tasks", 0, NULL, "GET, HEAD, POST, OPTIONS"},
		{"HEAD", "/tasks", 0, NULL, "GET, HEAD, POST, OPTIONS"},
		{"POST", "/tasks", 1, NULL, "GET, HEAD, POST, OPTIONS"},
		{"GET", "/tasks/", 0, NULL, "GET, HEAD, POST, OPTIONS"},
		{"DELETE", "/tasks", NO_METHOD, NULL, "GET, HEAD, POST, OPTIONS"},
		{"get", "/tasks", NO_METHOD, NULL, "GET, HEAD, POST, OPTIONS"},
		{"GET", "/tasks/7", 3, "7", "GET, HEAD, PATCH, OPTIONS"},
		{"GET", "/tasks/seven", 3, "seven", "GET, HEAD, PATCH, OPTIONS"},
		{"PATCH", "/tasks/7/", 4, "7", "GET, HEAD, PATCH, OPTIONS"},
		{"GET", "/tasks/7/history", 5, "7", "GET, HEAD, OPTIONS"},
		{"GET", "/health", 6, NULL, "GET, HEAD, OPTIONS"},
		/* A literal path takes precedence over one with {id}. */
		{"POST", "/tasks/bulk", 2, NULL, "POST, OPTIONS"},
		{"GET", "/tasks/bulk", NO_METHOD, NULL, "POST, OPTIONS"},
		/* {id} is exactly one segment, and not an empty one. */
		{"GET", "/tasks/7/8", NO_PATH, NULL, NULL},
		{"GET", "/tasks//history", NO_PATH, NULL, NULL},
		{"GET", "//tasks", NO_PATH, NULL, NULL},
		{"GET", "/task", NO_PATH, NULL, NULL},
		{"GET", "/tasks//", NO_PATH, NULL, NULL},
		{"GET", "/", NO_PATH, NULL, NULL},
		/* "*" stands for the whole server: it allows every method of the table, each once.
		 */
		{"OPTIONS", "*", NO_METHOD, NULL, "GET, HEAD, POST, PATCH, OPTIONS"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena arena;
		struct match match;

		arena_init(&arena);
		print_message("%s %s\n", rows[i].method, rows[i].path);
		assert_int_equal(route_find(&table, slice_of(rows[i].path), rows[i].method, &arena,
					    &match),
				 OK);
		assert_int_equal(match.path_known, rows[i].row != NO_PATH);
		assert_ptr_equal(match.route, rows[i].row < 0 ? NULL : &routes[rows[i].row]);
		if (rows[i].id)
			assert_true(slice_is(match.id_text, rows[i].id));
		if (rows[i].allow)
			assert_string_equal(match.allow, rows[i].allow);
		assert_int_equal(match.open, rows[i].row == 6);
		arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
