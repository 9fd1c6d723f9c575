/* SPDX-License-Identifier: MIT */
/* Which addresses a list of addresses and networks has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accounts/token_addresses.h"
#include "base/array.h"

static void what_a_list_has(void **state)
{
	static const struct {
		const char *list, *address;
		bool has;
	} rows[] = {
		{"", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"192.0.2.7/32", "192.0.2.7", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.77/24", "192.0.2.1", true},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"10.0.0.0/7", "11.255.255.255", true},
		{"10.0.0.0/7", "12.0.0.0", false},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "203.0.113.9", false},
		{"::ffff:192.0.2.0/120", "192.0.2.9", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::1", true},
		{"2001:db8::8000:0:0:0/65", "2001:db8:0:0:7fff::1", false},
		{"2001:DB8::1", "2001:db8::1", true},
		{"198.51.100.1, 192.0.2.0/24 ,2001:db8::1", "192.0.2.3", true},
		{"198.51.100.1,192.0.2.0/24,2001:db8::1", "2001:db8::1", true},
		{"198.51.100.1,192.0.2.0/24,2001:db8::1", "2001:db8::2", false},
		{"nonsense", "192.0.2.7", false},
		{"nonsense,192.0.2.7", "192.0.2.7", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip ip;

		assert_true(ip_parse(slice_of(rows[i].address), &ip));
		if (token_addresses_have(slice_of(rows[i].list), &ip) != rows[i].has)
			fail_msg("%s in \"%s\"", rows[i].address, rows[i].list);
	}
}

static void an_unknown_address_is_in_no_list(void **state)
{
	const struct ip unknown = {{0}};

	(void)state;
	assert_true(token_addresses_have(SLICE(""), &unknown));
	assert_false(token_addresses_have(SLICE("0.0.0.0/0"), &unknown));
	assert_false(token_addresses_have(SLICE("192.0.2.7"), &unknown));
}

static void what_is_wrong(void **state)
{
	static const char *const lists[] = {
		"",
		",",
		"192.0.2.7,",
		"192.0.2",
		"192.0.2.7/",
		"192.0.2.7/33",
		"::1/129",
		"192.0.2.7/-1",
		"192.0.2.7/2 4",
		"192.0.2.7/0x8",
		"/24",
		"192.0.2.7/24/24",
		"[::1]",
		"example.com",
		"192.0.2.256",
		"192.0.2.7:80",
		"fe80::1%eth0",
		"192.0.2.7 192.0.2.8",
		"::1/9999999999",
		"\303\274",
	};
	struct slice wrong;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (token_addresses_are_valid(lists[i], &wrong))
			fail_msg("\"%s\" is valid", lists[i]);
	assert_false(token_addresses_are_valid("::1,x,y", &wrong));
	assert_true(slice_is(wrong, "x"));
}

static void how_many(void **state)
{
	char list[(TOKEN_ADDRESSES_MAX + 1) * 4] = "";
	struct slice wrong;

	(void)state;
	for (size_t i = 0; i <= TOKEN_ADDRESSES_MAX; i++)
		memcpy(list + 4 * i, i < TOKEN_ADDRESSES_MAX ? "::1," : "::2", 4);
	assert_false(token_addresses_are_valid(list, &wrong));
	assert_true(slice_is(wrong, "::2"));
	list[4 * TOKEN_ADDRESSES_MAX - 1] = '\0';
	assert_true(token_addresses_are_valid(list, &wrong));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_list_has),
		cmocka_unit_test(an_unknown_address_is_in_no_list),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(how_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
