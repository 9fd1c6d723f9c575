/* SPDX-License-Identifier: MIT */
/* Which files libpq may read for a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/buf.h"
#include "db/files.h"

/* Each path with a newline before it and behind it. */
static void tell(void *context, const char *path, bool in_home)
{
	const char *name = strrchr(path, '/');

	assert_int_equal(in_home, name && strncmp(name, "/.p", 3) == 0);
	buf_printf(context, "%s\n", path);
}

static bool has(const struct buf *found, const char *path)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%s\n", path);
	return strstr(found->ptr, line) != NULL;
}

static void find(const char *url, struct buf *found)
{
	buf_add_char(found, '\n');
	postgres_files(url, tell, found);
	buf_add_char(found, '\0');
	assert_false(found->failed);
}

static int set_up(void **state)
{
	(void)state;
	setenv("HOME", "/home/of/docket", 1);
	unsetenv("PGSERVICE");
	unsetenv("PGSSLCERT");
	return 0;
}

#define SERVER "postgresql://docket@db.example.com/docket"

static void urls(void **state)
{
	static const struct {
		const char *url;
		const char *paths[3]; /* beside those in the home folder */
	} rows[] = {
		{SERVER, {NULL}},
		{"postgresql:///docket", {NULL}},
		{SERVER "?sslcert=/a/b.crt&sslkey=/a/b.key", {"/a/b.crt", "/a/b.key"}},
		{SERVER "?sslrootcert=/ca.pem&sslcrl=/crl.pem", {"/ca.pem", "/crl.pem"}},
		{SERVER "?sslcrldir=/crls&passfile=/pass%20word", {"/crls", "/pass word"}},
		{SERVER "?sslcert=/one&sslcert=/two", {"/two"}},
		{SERVER "?sslcert=", {NULL}},
		{SERVER "?sslcert=system", {NULL}},
		{"", {NULL}},
		{"postgresql://", {NULL}},
		{"postgresql://[", {NULL}},
		{SERVER "?sslcert=%zz", {NULL}},
		{SERVER "?nothing=/a", {NULL}},
	};
	static const char *const home[] = {"/home/of/docket/.postgresql", "/home/of/docket/.pgpass",
					   "/home/of/docket/.pg_service.conf"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf found = {0};

		find(rows[i].url, &found);
		for (size_t n = 0; rows[i].paths[n]; n++)
			assert_true(has(&found, rows[i].paths[n]));
		for (size_t n = 0; n < COUNT_OF(home); n++)
			assert_true(has(&found, home[n]));
		assert_false(has(&found, ""));
		assert_false(has(&found, "/one"));
		assert_false(has(&found, "system"));
		buf_release(&found);
	}
}

static void variables(void **state)
{
	struct buf found = {0};

	(void)state;
	setenv("PGSSLCERT", "/from/a/variable", 1);
	find(SERVER, &found);
	assert_true(has(&found, "/from/a/variable"));
	buf_release(&found);
}

/* The file of services names a certificate. */
static void services(void **state)
{
	static const char text[] = "[ours]\nsslcert=/of/the/service\n";
	char file[] = "/tmp/test_files-XXXXXX";
	struct buf found = {0};
	int fd = mkstemp(file);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	setenv("PGSERVICEFILE", file, 1);
	find("postgresql://?service=ours", &found);
	unlink(file);
	assert_true(has(&found, file));
	assert_true(has(&found, "/of/the/service"));
	buf_release(&found);
}

static void huge(void **state)
{
	size_t len = 1 << 20;
	char *url = calloc(1, len + sizeof(SERVER) + 32);
	struct buf found = {0};

	(void)state;
	memcpy(url, SERVER "?sslcert=/", strlen(SERVER "?sslcert=/"));
	memset(url + strlen(url), 'a', len);
	find(url, &found);
	assert_true(has(&found, "/home/of/docket/.pgpass"));
	free(url);
	buf_release(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(urls, set_up),
		cmocka_unit_test_setup(variables, set_up),
		cmocka_unit_test_setup(services, set_up),
		cmocka_unit_test_setup(huge, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
