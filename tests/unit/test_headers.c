/* SPDX-License-Identifier: MIT */
/* Which bodies a request may have by its headers, and what the header Prefer says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/pipeline_private.h"

static void types(void **state)
{
	static const struct {
		const char *type; /* NULL: there is no header */
		bool taken;
	} rows[] = {
		{NULL, true},
		{"", true},
		{"application/json", true},
		{"APPLICATION/Json", true},
		{"application/json \t; charset=utf-8", true},
		{"application/json;charset=UTF-8", true},
		{"application/json; charset=\"utf-8\"", true},
		{"application/json; charset=utf-8; version=1", true},
		{"application/json; version=1", true},
		{" application/json", true},
		{"application/json; charset = UTF-8", true},
		{"application/json; x-charset=latin1", true},
		{"application/json; x=\"; charset=latin1\"", true},
		{"application/json; x=\"\\\"; charset=latin1\"", true},
		{"application/merge-patch+json", true},
		{"application/vnd.example+json; charset=utf-8", true},
		{"application/vnd.example+JSON", true},
		/* A charset but UTF-8. */
		{"application/json; charset=latin1", false},
		{"application/json; charset=utf-16", false},
		{"application/json; charset=utf-8x", false},
		{"application/json; charset=utf", false},
		{"application/json; charset=", false},
		{"application/json; version=1; Charset=latin1", false},
		{"application/json; x=\";\"; charset=latin1", false},
		{"application/json; charset=\"utf-8", false},
		{"application/json; charset", false},
		/* A JSON Patch is an array of operations. */
		{"application/json-patch+json", false},
		{"Application/JSON-Patch+JSON; charset=utf-8", false},
		/* Other types, and none. */
		{"application/+json", false},
		{"application/jsonx", false},
		{"application/json/x", false},
		{"application/xml", false},
		{"application/x-www-form-urlencoded", false},
		{"multipart/form-data; boundary=json", false},
		{"text/json", false},
		{"text/plain", false},
		{"image/svg+json", false},
		{"json", false},
		{"+json", false},
		{";", false},
		{"application/json, application/json", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (body_takes_type(slice_of(rows[i].type)) != rows[i].taken)
			fail_msg("Content-Type: %s", rows[i].type ? rows[i].type : "(none)");
}

static void codings(void **state)
{
	static const struct {
		const char *coding;
		bool taken;
	} rows[] = {
		{NULL, true},
		{"", true},
		{"identity", true},
		{"Identity", true},
		{"gzip", false},
		{"br", false},
		{"identity, gzip", false},
		{"gzip, identity", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (body_takes_coding(slice_of(rows[i].coding)) != rows[i].taken)
			fail_msg("Content-Encoding: %s",
				 rows[i].coding ? rows[i].coding : "(none)");
}

static void preferences(void **state)
{
	enum {
		NOT_GIVEN = HANDLING_NOT_GIVEN,
		STRICT = HANDLING_STRICT,
		LENIENT = HANDLING_LENIENT
	};
	static const struct {
		const char *prefer;
		int handling;
	} rows[] = {
		{"", NOT_GIVEN},
		{"handling=lenient", LENIENT},
		{"handling=strict", STRICT},
		{"Handling=Lenient", LENIENT},
		{"handling=\"lenient\"", LENIENT},
		{" handling \t=\t lenient ", LENIENT},
		{"handling=lenient; x=y", LENIENT},
		{"handling=strict; handling=lenient", STRICT},
		{"respond-async, handling=lenient", LENIENT},
		{"wait=10; handling=strict, handling=lenient", LENIENT},
		{", ,handling=lenient,", LENIENT},
		{"x=\",\", handling=lenient", LENIENT},
		{"x=\"a, handling=lenient\"", NOT_GIVEN},
		{"x=\"a\\\", handling=lenient", NOT_GIVEN},
		/* The first counts. */
		{"handling=lenient, handling=strict", LENIENT},
		{"handling=strict, handling=lenient", STRICT},
		{"handling=unknown, handling=lenient", STRICT},
		/* What is neither. */
		{"handling=", STRICT},
		{"handling=lenient-not", STRICT},
		{"handling='lenient'", STRICT},
		{"handling=\"lenient", STRICT},
		{"handling", NOT_GIVEN},
		{"handling;lenient", NOT_GIVEN},
		{"handling, lenient", NOT_GIVEN},
		{"lenient", NOT_GIVEN},
		{"xhandling=lenient", NOT_GIVEN},
		{"return=minimal", NOT_GIVEN},
		{"=lenient", NOT_GIVEN},
		{"=;,=,;;", NOT_GIVEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if ((int)prefer_handling(slice_of(rows[i].prefer)) != rows[i].handling)
			fail_msg("Prefer: %s", rows[i].prefer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(codings),
		cmocka_unit_test(preferences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
