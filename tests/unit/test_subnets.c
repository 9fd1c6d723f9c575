/* SPDX-License-Identifier: MIT */
/* Connections are counted by the network that they come from. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "sockets/sockets.h"

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

static struct subnet *enter(struct subnets *subnets, const char *text)
{
	struct sockaddr_storage from;

	parse(text, &from);
	return subnets_enter(subnets, (struct sockaddr *)&from);
}

static bool has_room(const struct subnets *subnets, const char *text)
{
	struct sockaddr_storage from;

	parse(text, &from);
	return subnets_have_room(subnets, (struct sockaddr *)&from);
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
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct subnets subnets;
		struct subnet *held[LIMIT];

		subnets_init(&subnets, LIMIT);
		for (size_t j = 0; j < LIMIT; j++) {
			assert_true(has_room(&subnets, rows[i].other));
			held[j] = enter(&subnets, rows[i].full);
			assert_non_null(held[j]);
		}
		if (has_room(&subnets, rows[i].full) ||
		    has_room(&subnets, rows[i].other) == rows[i].same)
			fail_msg("%s and %s", rows[i].full, rows[i].other);
		subnets_leave(&subnets, held[0]);
		assert_true(has_room(&subnets, rows[i].full));
		subnets_leave(&subnets, held[1]);
		subnets_leave(&subnets, held[2]);
		subnets_release(&subnets);
	}
}

static void uncounted(void **state)
{
	static const char *const here[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	struct subnets subnets;

	(void)state;
	subnets_init(&subnets, 1);
	for (size_t i = 0; i < COUNT_OF(here); i++) {
		assert_null(enter(&subnets, here[i]));
		assert_true(has_room(&subnets, here[i]));
		subnets_leave(&subnets, NULL);
	}
	subnets_release(&subnets);
	subnets_init(&subnets, 0);
	assert_null(enter(&subnets, "192.0.2.1"));
	assert_true(has_room(&subnets, "192.0.2.1"));
	subnets_release(&subnets);
}

/* More networks than the table has lists. */
static void many_places(void **state)
{
	enum { MANY = 5000 };
	struct subnet *held[MANY];
	struct subnets subnets;
	char text[32];

	(void)state;
	subnets_init(&subnets, 1);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", i >> 8, i & 255);
		assert_true(has_room(&subnets, text));
		held[i] = enter(&subnets, text);
		assert_false(has_room(&subnets, text));
	}
	for (int i = 0; i < MANY; i++) {
		/* Also out of the middle of a list. */
		int at = (int)((unsigned)i * 1237u % MANY);

		snprintf(text, sizeof(text), "10.0.%d.%d", at >> 8, at & 255);
		assert_false(has_room(&subnets, text));
		subnets_leave(&subnets, held[at]);
		assert_true(has_room(&subnets, text));
	}
	for (size_t i = 0; i < SUBNET_BUCKETS; i++)
		assert_null(subnets.buckets[i]);
	subnets_release(&subnets);
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
