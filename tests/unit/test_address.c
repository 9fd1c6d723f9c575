/* SPDX-License-Identifier: MIT */
/* Addresses as clients send them, and the result: the stored form, or faults that name the
 * request's fields. The list that collects faults is tested here too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "model/address.h"

static void countries(void **state)
{
	static const char *const known[] = {"US", "AD", "ZW", "IE", "AU", "PR", "HK", "GB", "AQ"};
	static const char *const unknown[] = {"",   "XX", "us",  "Us", "U",  "USA",
					      "UK", "U ", " US", "AA", "ZZ", "\xc3\x9c"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		assert_true(country_is_known(slice_of(known[i])));
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		if (country_is_known(slice_of(unknown[i])))
			fail_msg("\"%s\" is known", unknown[i]);
	}
	assert_false(country_is_known((struct slice){NULL, 0}));
	assert_false(country_is_known(SLICE("US\0")));
	assert_false(country_is_known(SLICE("\0\0")));
	assert_true(country_is_known((struct slice){"USA", 2}));
}

/* Normalizes an address with that state and country for an account in the US. */
static struct address normalized(struct arena *arena, struct faults *faults, const char *state,
				 const char *country)
{
	struct address address = {.state = slice_of(state), .country = slice_of(country)};

	faults_init(faults, arena);
	address_normalize(&address, false, SLICE("US"), "task.address", faults);
	assert_false(faults->nomem);
	return address;
}

static void states_accepted(void **state)
{
	static const struct {
		const char *state, *country, *stored_state, *stored_country;
	} rows[] = {
		{"CO", "US", "CO", "US"},
		{"co", "us", "CO", "US"},
		{"Co", "uS", "CO", "US"},
		{"CO", "", "CO", "US"},
		{"", "", "", "US"},
		{"", "US", "", "US"},
		{"AA", "US", "AA", "US"},
		{"ae", "US", "AE", "US"},
		{"AP", "US", "AP", "US"},
		{"PR", "US", "PR", "US"},
		{"DC", "US", "DC", "US"},
		{"AK", "US", "AK", "US"}, /* the first and the last of the country */
		{"WY", "US", "WY", "US"},
		{"D", "IE", "D", "IE"},
		{"d", "ie", "D", "IE"},
		{"CO", "IE", "CO", "IE"},
		{"NSW", "AU", "NSW", "AU"},
		{"nsw", "au", "NSW", "AU"},
		{"ON", "CA", "ON", "CA"},
		{"2a", "FR", "2A", "FR"},
		{"ARA", "FR", "ARA", "FR"},
		{"02", "AD", "02", "AD"}, /* the first row of the tables, and the last */
		{"MW", "ZW", "MW", "ZW"},
		/* free text where there are no codes */
		{"San Juan", "PR", "SAN JUAN", "PR"},
		{"kowloon", "HK", "KOWLOON", "HK"},
		{"t\xc3\xb3rshavn", "FO", "T\xc3\xb3RSHAVN", "FO"}, /* ASCII letters only */
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct faults faults;
		struct address address =
			normalized(&arena, &faults, rows[i].state, rows[i].country);

		if (faults.count != 0 || !slice_is(address.state, rows[i].stored_state) ||
		    !slice_is(address.country, rows[i].stored_country))
			fail_msg("row %zu: %s in %s", i, rows[i].state, rows[i].country);
	}
	arena_release(&arena);
}

static void codes_refused(void **state)
{
	static const struct {
		const char *state, *country, *field, *message;
	} rows[] = {
		{"ZZ", "US", "task.address.state",
		 "must be an ISO 3166-2 code of US such as CO; got \"ZZ\""},
		{"zz", "", "task.address.state",
		 "must be an ISO 3166-2 code of US such as CO; got \"zz\""},
		{"Colorado", "US", "task.address.state",
		 "must be an ISO 3166-2 code of US such as CO; got \"Colorado\""},
		{"CO", "AU", "task.address.state",
		 "must be an ISO 3166-2 code of AU such as ACT; got \"CO\""},
		{"US-CO", "US", "task.address.state", NULL},
		{" CO ", "US", "task.address.state",
		 "must be an ISO 3166-2 code of US such as CO; got \" CO \""},
		{"C", "US", "task.address.state", NULL},
		{"COL", "US", "task.address.state", NULL},
		{"COLO", "US", "task.address.state", NULL},
		{"AA", "CA", "task.address.state", NULL},
		{"Dublin", "IE", "task.address.state", NULL},
		{"DD", "IE", "task.address.state", NULL},
		{"IE", "IE", "task.address.state", NULL},
		{"NSW", "US", "task.address.state", NULL},
		{"", "XX", "task.address.country",
		 "must be an ISO 3166-1 country code such as US; got \"XX\""},
		{"", "uk", "task.address.country",
		 "must be an ISO 3166-1 country code: the United Kingdom is GB; got \"uk\""},
		{"ZZ", "xx", "task.address.country", /* the state cannot be checked */
		 "must be an ISO 3166-1 country code such as US; got \"xx\""},
		{"CO", "USA", "task.address.country", NULL},
		{"CO", "United States", "task.address.country", NULL},
		{"CO", "US ", "task.address.country", NULL},
		{"CO", " ", "task.address.country", NULL},
		{"  ", "US", "task.address.state", NULL},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct faults faults;

		normalized(&arena, &faults, rows[i].state, rows[i].country);
		if (faults.count != 1 || !faults.first || faults.first->next)
			fail_msg("row %zu: %zu faults", i, faults.count);
		assert_string_equal(faults.first->field, rows[i].field);
		assert_int_equal(faults.first->code, FAULT_CHOICE);
		if (rows[i].message)
			assert_string_equal(faults.first->message, rows[i].message);
	}
	arena_release(&arena);
}

/* A message shows the first 40 characters of the value. */
static void shown_text_is_cut(void **state)
{
	char sent[] = "123456789012345678901234567890123456789\xf0\x9f\x98\x80 and more";
	struct arena arena = {0};
	struct faults faults;

	(void)state;
	normalized(&arena, &faults, sent, "IE");
	assert_non_null(
		strstr(faults.first->message,
		       "got \"123456789012345678901234567890123456789\xf0\x9f\x98\x80...\""));
	normalized(&arena, &faults, "", sent);
	assert_non_null(
		strstr(faults.first->message,
		       "got \"123456789012345678901234567890123456789\xf0\x9f\x98\x80...\""));
	arena_release(&arena);
}

static void account_country(void **state)
{
	struct arena arena = {0};
	struct address address = {.state = SLICE("d")};
	struct faults faults;

	(void)state;
	faults_init(&faults, &arena);
	address_normalize(&address, false, SLICE("IE"), "task.address", &faults);
	assert_int_equal(faults.count, 0);
	assert_true(slice_is(address.country, "IE"));
	assert_true(slice_is(address.state, "D"));
	assert_true(slice_is(address.zip, ""));
	arena_release(&arena);
}

static void zip_numbers(void **state)
{
	static const struct {
		const char *zip;
		bool number;
		const char *sent_country, *account_country, *stored;
	} rows[] = {
		{"2134", true, "US", "US", "02134"},
		{"2134", true, "us", "AU", "02134"},
		{"2134", true, "", "US", "02134"},
		{"80202", true, "US", "US", "80202"},
		{"501", true, "US", "US", "00501"},
		{"0", true, "US", "US", "00000"},
		{"123456789", true, "US", "US", "123456789"},
		{"2134", false, "US", "US", "2134"}, /* a string stays as the client sent it */
		{"", false, "US", "US", ""},
		{"2000", true, "AU", "US", "2000"},
		{"800", true, "", "AU", "800"},
		{"123", true, "XX", "US", "123"},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address address = {.zip = slice_of(rows[i].zip),
					  .country = slice_of(rows[i].sent_country)};
		struct faults faults;

		faults_init(&faults, &arena);
		address_normalize(&address, rows[i].number, slice_of(rows[i].account_country),
				  "task.address", &faults);
		if (!slice_is(address.zip, rows[i].stored))
			fail_msg("row %zu: %.*s", i, (int)address.zip.len, address.zip.ptr);
	}
	arena_release(&arena);
}

/* `count` characters, at most 256, of two bytes each. */
static struct slice chars(size_t count)
{
	static char long_text[512];

	for (size_t i = 0; i < sizeof(long_text); i += 2)
		memcpy(long_text + i, "\xc3\xa9", 2);
	return (struct slice){long_text, count * 2};
}

static void lengths(void **state)
{
	static const char *const fields[] = {
		"task.address.address_1", "task.address.address_2", "task.address.address_3",
		"task.address.city",      "task.address.state",     "task.address.zip",
	};
	struct slice longest = chars(255), too_long = chars(256);
	struct address address = {longest, longest, longest,    longest,
				  longest, longest, SLICE("PR")};
	struct arena arena = {0};
	struct faults faults;
	struct fault *fault;

	(void)state;
	faults_init(&faults, &arena);
	address_normalize(&address, false, SLICE("US"), "task.address", &faults);
	assert_int_equal(faults.count, 0);
	assert_true(slice_eq(address.address_1, longest));

	address = (struct address){too_long, too_long, too_long,   too_long,
				   too_long, too_long, SLICE("US")};
	address_normalize(&address, false, SLICE("US"), "task.address", &faults);
	assert_int_equal(faults.count, 6); /* one for each part, and no second one for the state */
	fault = faults.first;
	for (size_t i = 0; i < COUNT_OF(fields); i++, fault = fault->next) {
		assert_string_equal(fault->field, fields[i]);
		assert_int_equal(fault->code, FAULT_TOO_LONG);
		assert_string_equal(fault->message, "must have at most 255 characters; got 256");
	}
	assert_null(fault);

	faults_init(&faults, &arena);
	address = (struct address){.state = too_long, .country = SLICE("PR")};
	address_normalize(&address, false, SLICE("US"), "subject.address", &faults);
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.first->field, "subject.address.state");

	faults_init(&faults, &arena);
	address = (struct address){.country = too_long};
	address_normalize(&address, false, SLICE("US"), "task.address", &faults);
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.first->field, "task.address.country");
	assert_int_equal(faults.first->code, FAULT_TOO_LONG);
	arena_release(&arena);
}

/* Parts other than the two codes are stored as the client sent them. */
static void other_parts_stay(void **state)
{
	struct arena arena = {0};
	struct faults faults;
	struct address address = {SLICE("2000 Blake Street"),
				  SLICE(" "),
				  SLICE("c/o x"),
				  SLICE("Denver"),
				  SLICE("co"),
				  SLICE("k1a 0b1"),
				  SLICE("us")};

	(void)state;
	faults_init(&faults, &arena);
	address_normalize(&address, false, SLICE("US"), "task.address", &faults);
	assert_int_equal(faults.count, 0);
	assert_true(slice_is(address.address_1, "2000 Blake Street"));
	assert_true(slice_is(address.address_2, " "));
	assert_true(slice_is(address.address_3, "c/o x"));
	assert_true(slice_is(address.city, "Denver"));
	assert_true(slice_is(address.state, "CO"));
	assert_true(slice_is(address.zip, "k1a 0b1"));
	assert_true(slice_is(address.country, "US"));
	arena_release(&arena);
}

static void blank_addresses(void **state)
{
	const struct address empty = {0};
	const struct address blanks = {SLICE(" "),        SLICE(""),
				       SLICE("\t"),       SLICE("\xe3\x80\x80"),
				       SLICE("\xc2\xa0"), SLICE("  "),
				       SLICE("\n")};
	const struct address all[] = {
		{.address_1 = SLICE("x")}, {.address_2 = SLICE("x")}, {.address_3 = SLICE("x")},
		{.city = SLICE("x")},      {.state = SLICE("x")},     {.zip = SLICE("0")},
		{.country = SLICE("US")},
	};

	(void)state;
	assert_true(address_is_blank(&empty));
	assert_true(address_is_blank(&blanks));
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (address_is_blank(&all[i]))
			fail_msg("part %zu is not looked at", i);
	}
}

static void faults_collect(void **state)
{
	struct arena arena = {0};
	struct faults faults;
	char field[] = "task.title";
	size_t kept = 0;

	(void)state;
	faults_init(&faults, &arena);
	assert_null(faults.first);
	assert_int_equal(faults.count, 0);
	faults_add(&faults, field, FAULT_TOO_LONG, "has %d of %s", 256, "255");
	field[0] = 'X'; /* copied */
	faults_add(&faults, "task.body", FAULT_TYPE, "must be a string");
	assert_string_equal(faults.first->field, "task.title");
	assert_int_equal(faults.first->code, FAULT_TOO_LONG);
	assert_string_equal(faults.first->message, "has 256 of 255");
	assert_string_equal(faults.first->next->field, "task.body");
	assert_null(faults.first->next->next);
	for (int i = 0; i < 200; i++)
		faults_add(&faults, "task.users_list", FAULT_NOT_FOUND, "is %d", i);
	for (struct fault *fault = faults.first; fault; fault = fault->next)
		kept++;
	assert_int_equal(kept, FAULTS_MAX);
	assert_int_equal(faults.count, 202);
	assert_false(faults.nomem);
	arena_release(&arena);
}

static void fault_names(void **state)
{
	static const char *const names[] = {
		[FAULT_REQUIRED] = "required",   [FAULT_UNKNOWN_FIELD] = "unknown_field",
		[FAULT_TYPE] = "type",           [FAULT_FORMAT] = "format",
		[FAULT_RANGE] = "range",         [FAULT_BLANK] = "blank",
		[FAULT_TOO_LONG] = "too_long",   [FAULT_TOO_MANY] = "too_many",
		[FAULT_CONTROL] = "control",     [FAULT_CHOICE] = "choice",
		[FAULT_READ_ONLY] = "read_only", [FAULT_NOT_FOUND] = "not_found",
		[FAULT_MISMATCH] = "mismatch",   [FAULT_NOT_ALLOWED] = "not_allowed",
		[FAULT_REPEATED] = "repeated",   [FAULT_TAKEN] = "taken",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(fault_code_name((enum fault_code)i), names[i]);
	assert_non_null(fault_code_name((enum fault_code)COUNT_OF(names)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(countries),       cmocka_unit_test(states_accepted),
		cmocka_unit_test(codes_refused),   cmocka_unit_test(shown_text_is_cut),
		cmocka_unit_test(account_country), cmocka_unit_test(zip_numbers),
		cmocka_unit_test(lengths),         cmocka_unit_test(other_parts_stay),
		cmocka_unit_test(blank_addresses), cmocka_unit_test(faults_collect),
		cmocka_unit_test(fault_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
