/* SPDX-License-Identifier: MIT */
/* Origins, paths and comma lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/url.h"

static void origins(void **state)
{
	/* The origin that each begins with, and its host and port. */
	static const struct {
		const char *text, *origin, *host, *port;
	} rows[] = {
		{"https://app.example.com", "https://app.example.com", "app.example.com", ""},
		{"http://localhost:3000", "http://localhost:3000", "localhost", "3000"},
		{"HTTP://A.Example:65535/x?y", "HTTP://A.Example:65535", "A.Example", "65535"},
		{"https://[::1]:8443/", "https://[::1]:8443", "[::1]", "8443"},
		{"https://[2001:db8::1]", "https://[2001:db8::1]", "[2001:db8::1]", ""},
		{"capacitor://localhost", "capacitor://localhost", "localhost", ""},
		{"x-y+z.1://a_b", "x-y+z.1://a_b", "a_b", ""},
		{"http://127.0.0.1/tracker", "http://127.0.0.1", "127.0.0.1", ""},
		/* The host ends here. A caller that accepts only an origin compares the lengths. */
		{"http://a@b", "http://a", "a", ""},
	};
	static const char *const none[] = {
		"",
		"*",
		"null",
		"http",
		"http:/a",
		"http://",
		"://a",
		"//a",
		"1http://a",
		"http ://a",
		"http:///",
		"http://:80",
		"http://.a",
		"http://a..b",
		"http://[]",
		"http://[",
		"http://[::1",
		"http://[::g]",
		"http://a:",
		"http://a:0",
		"http://a:080",
		"http://a:65536",
		"http://a:123456",
		" http://a",
		"http://\xc3\xa4",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice origin = url_origin(slice_of(rows[i].text));

		assert_true(slice_is(origin, rows[i].origin));
		assert_true(slice_is(url_host(origin), rows[i].host));
		assert_true(slice_is(url_port(origin), rows[i].port));
	}
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(url_origin(slice_of(none[i])).len, 0);
}

static void paths(void **state)
{
	static const char *const good[] = {
		"/",    "/a",           "/a/",    "/a/b-c_d.e~f",  "/.hidden",
		"/a.b", "/m%C3%BCller", "/a%20b", "/!$&'()*+;=:@",
	};
	static const char *const bad[] = {
		"",       "a",         "a/b",        "//",          "//a",     "/a//b",  "/a//",
		"/..",    "/a/../b",   "/a..",       "/.",          "/./",     "/a/./b", "/a/.",
		"/a b",   "/a\tb",     "/a,b",       "/a?b",        "/a#b",    "/a\\b",  "/a\"",
		"/<a>",   "/a%",       "/a%2",       "/a%zz",       "/%2e%2e", "/%2E",   "/a%2fb",
		"/a%5Cb", "/\xc3\xa4", "/a\r\nX: y", "https://a/b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(url_is_path(slice_of(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(url_is_path(slice_of(bad[i])));
	assert_false(url_is_path((struct slice){"/a\0b", 4}));
	/* A slice ends before the digits that follow it in memory. */
	assert_false(url_is_path((struct slice){"/a%20", 4}));
}

static void lists(void **state)
{
	const char *list = " a,b ,\t,c d,";
	static const char *const entries[] = {"a", "b", "", "c d", ""};
	struct slice entry;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		assert_true(url_list_next(&list, &entry));
		assert_true(slice_is(entry, entries[i]));
	}
	assert_false(url_list_next(&list, &entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins),
		cmocka_unit_test(paths),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
