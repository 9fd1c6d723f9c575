/* SPDX-License-Identifier: MIT */
/* Digests equal those of other programs, whether the text comes in one piece or in several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digest.h"

static void final_is(struct digest *digest, const char *expected)
{
	unsigned char out[DIGEST_BYTES];
	char text[2 * DIGEST_BYTES + 1];

	digest_final(digest, out);
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned)out[i]);
	assert_string_equal(text, expected);
}

/* From `printf abc | b2sum -l 256` and Python's hashlib.blake2b(digest_size=32). */
#define ABC "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
#define NOTHING "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
#define NUMBERS "80e054b1d62db012cb779b74d1297440e4ff9ab321b9c0c032a8b6d494d9b6da"

static void known(void **state)
{
	struct digest digest;

	(void)state;
	digest_init(&digest);
	final_is(&digest, NOTHING);
	digest_init(&digest);
	digest_add(&digest, SLICE("abc"));
	final_is(&digest, ABC);
}

static void in_pieces(void **state)
{
	struct digest digest;

	(void)state;
	digest_init(&digest);
	digest_add(&digest, SLICE("a"));
	digest_add(&digest, (struct slice){NULL, 0});
	digest_add(&digest, SLICE("bc"));
	final_is(&digest, ABC);
}

static void numbers(void **state)
{
	struct digest digest;

	(void)state;
	digest_init(&digest);
	digest_add_int(&digest, 258);
	digest_add_int(&digest, -2);
	digest_add_int(&digest, INT64_MIN);
	final_is(&digest, NUMBERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
