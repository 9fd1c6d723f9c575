/* SPDX-License-Identifier: MIT */
/* Connections counted by where they come from. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/addresses.h"

#define LIMIT 3

static void parse(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
}

static struct address *enter(struct addresses *addresses, const char *text)
{
	struct sockaddr_storage from;

	parse(text, &from);
	return addresses_enter(addresses, (struct sockaddr *)&from);
}

static bool has_room(const struct addresses *addresses, const char *text)
{
	struct sockaddr_storage from;

	parse(text, &from);
	return addresses_have_room(addresses, (struct sockaddr *)&from);
}

static void one_place(void **state)
{
	static const struct {
		const char *full, *other;
		bool same;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"2001:db8::1", "192.0.2.1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addresses addresses;
		struct address *held[LIMIT];

		addresses_init(&addresses, LIMIT);
		for (size_t j = 0; j < LIMIT; j++) {
			assert_true(has_room(&addresses, rows[i].other));
			held[j] = enter(&addresses, rows[i].full);
			assert_non_null(held[j]);
		}
		if (has_room(&addresses, rows[i].full) ||
		    has_room(&addresses, rows[i].other) == rows[i].same)
			fail_msg("%s and %s", rows[i].full, rows[i].other);
		addresses_leave(&addresses, held[0]);
		assert_true(has_room(&addresses, rows[i].full));
		addresses_leave(&addresses, held[1]);
		addresses_leave(&addresses, held[2]);
		addresses_release(&addresses);
	}
}

static void uncounted(void **state)
{
	static const char *const here[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	struct addresses addresses;

	(void)state;
	addresses_init(&addresses, 1);
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		assert_null(enter(&addresses, here[i]));
		assert_true(has_room(&addresses, here[i]));
		addresses_leave(&addresses, NULL);
	}
	addresses_release(&addresses);
	addresses_init(&addresses, 0);
	assert_null(enter(&addresses, "192.0.2.1"));
	assert_true(has_room(&addresses, "192.0.2.1"));
	addresses_release(&addresses);
}

/* More places than the table has lists. */
static void many_places(void **state)
{
	enum { MANY = 5000 };
	struct address *held[MANY];
	struct addresses addresses;
	char text[32];

	(void)state;
	addresses_init(&addresses, 1);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", i >> 8, i & 255);
		assert_true(has_room(&addresses, text));
		held[i] = enter(&addresses, text);
		assert_false(has_room(&addresses, text));
	}
	for (int i = 0; i < MANY; i++) {
		/* From the middle of the lists as well. */
		int at = (int)((unsigned)i * 1237u % MANY);

		snprintf(text, sizeof(text), "10.0.%d.%d", at >> 8, at & 255);
		assert_false(has_room(&addresses, text));
		addresses_leave(&addresses, held[at]);
		assert_true(has_room(&addresses, text));
	}
	for (size_t i = 0; i < ADDRESS_BUCKETS; i++)
		assert_null(addresses.buckets[i]);
	addresses_release(&addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_place),
		cmocka_unit_test(uncounted),
		cmocka_unit_test(many_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
