/* SPDX-License-Identifier: MIT */
/* The rules of postal addresses, by tables that the build makes from iso-codes: a country's codes
 * are a sorted range of one array, so that each question is one or two binary searches. */
#include "model/address.h"

#include <stdint.h>

#include "address_codes.h"
#include "base/text.h"
#include "model/field.h"

/* clang-format off */
#define PART(part, col, what)                                                                      \
	{.name = #part, .column = col, .type = FIELD_TEXT,                                         \
	 .offset = offsetof(struct address, part), .limit = ADDRESS_PART_CHARS, .help = what}
/* clang-format on */

const struct field address_parts[ADDRESS_PARTS] = {
	PART(address_1, "1", "line 1 of the street address"),
	PART(address_2, "2", "line 2 of the street address"),
	PART(address_3, "3", "line 3 of the street address"),
	PART(city, "city", "city"),
	PART(state, "state", "ISO 3166-2 subdivision code without its prefix"),
	PART(zip, "zip", "postal code"),
	PART(country, "country", "ISO 3166-1 alpha-2 code"),
};

#define PATH_BYTES 128

static struct slice part_of(const struct address *address, size_t part)
{
	return *(const struct slice *)CONST_FIELD_AT(address, &address_parts[part]);
}

/* A code as the tables hold it, with NUL behind it; false for text that cannot be one: the tables
 * hold no empty code, and NUL in `text` would hide what follows it. */
static bool code_key(struct slice text, char key[ADDRESS_CODE_SIZE])
{
	if (text.len == 0 || text.len >= ADDRESS_CODE_SIZE || memchr(text.ptr, '\0', text.len))
		return false;
	memset(key, 0, ADDRESS_CODE_SIZE);
	memcpy(key, text.ptr, text.len);
	return true;
}

/* For both tables: every row starts with its code. */
static int compare_codes(const void *key, const void *row)
{
	return strcmp(key, row);
}

static const struct address_country *country_find(struct slice code)
{
	char key[ADDRESS_CODE_SIZE];

	if (!code_key(code, key))
		return NULL;
	return bsearch(key, address_countries, FIELD_COUNT(address_countries),
		       sizeof(address_countries[0]), compare_codes);
}

static bool has_subdivision(const struct address_country *country, struct slice code)
{
	char key[ADDRESS_CODE_SIZE];

	return code_key(code, key) &&
	       bsearch(key, address_subdivisions[country->first], country->count,
		       sizeof(address_subdivisions[0]), compare_codes);
}

bool country_is_known(struct slice country)
{
	return country_find(country) != NULL;
}

bool address_is_blank(const struct address *address)
{
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		if (!text_is_blank(part_of(address, i)))
			return false;
	}
	return true;
}

/* With the capitals of its ASCII letters; as it was when memory is out. */
static struct slice fold_code(struct slice text, struct faults *faults)
{
	char *folded;
	size_t at = 0;

	while (at < text.len && !(text.ptr[at] >= 'a' && text.ptr[at] <= 'z'))
		at++;
	if (at == text.len)
		return text;
	folded = arena_copy(faults->arena, text);
	if (!folded) {
		faults->nomem = true;
		return text;
	}
	for (; at < text.len; at++) {
		if (folded[at] >= 'a' && folded[at] <= 'z')
			folded[at] = (char)(folded[at] - 'a' + 'A');
	}
	return (struct slice){folded, text.len};
}

static struct slice pad_zip(struct slice zip, struct faults *faults)
{
	char *padded;

	if (zip.len == 0 || zip.len >= 5)
		return zip;
	padded = arena_copy(faults->arena, SLICE("00000"));
	if (!padded) {
		faults->nomem = true;
		return zip;
	}
	memcpy(padded + 5 - zip.len, zip.ptr, zip.len);
	return (struct slice){padded, 5};
}

static void check_lengths(const struct address *address, const char *path, struct faults *faults)
{
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		char name[PATH_BYTES];

		snprintf(name, sizeof(name), "%s.%s", path, address_parts[i].name);
		field_check_text(&address_parts[i], part_of(address, i), name, faults);
	}
}

/* A part that is too long has its fault already. */
static bool is_too_long(struct slice text)
{
	return text_chars(text) > ADDRESS_PART_CHARS;
}

/* What the United Kingdom is taken for, which has another code. */
static const char *country_hint(struct slice code)
{
	return slice_is(code, "UK") ? ": the United Kingdom is GB" : " such as US";
}

/* One that a reader knows: the first of the United States is one of military mail. */
static const char *example_of(const struct address_country *country)
{
	return strcmp(country->code, "US") == 0 ? "CO" : address_subdivisions[country->first];
}

/* `sent` is the address before its codes were folded. */
static void check_codes(const struct address *address, const struct address *sent, const char *path,
			struct faults *faults)
{
	const struct address_country *country = country_find(address->country);
	struct slice wrong = country ? sent->state : sent->country;
	const char *shown = text_shown(faults->arena, wrong, SHOWN_CHARS);
	char name[PATH_BYTES];

	snprintf(name, sizeof(name), "%s.%s", path, country ? "state" : "country");
	if (is_too_long(wrong))
		return;
	if (!country)
		faults_add(faults, name, FAULT_CHOICE,
			   "must be an ISO 3166-1 country code%s; got \"%s\"",
			   country_hint(address->country), shown);
	else if (wrong.len && country->count && !has_subdivision(country, address->state))
		faults_add(faults, name, FAULT_CHOICE,
			   "must be an ISO 3166-2 code of %s such as %s; got \"%s\"", country->code,
			   example_of(country), shown);
}

void address_normalize(struct address *address, bool zip_number, struct slice country,
		       const char *path, struct faults *faults)
{
	const struct address sent = *address;

	address->state = fold_code(address->state, faults);
	address->country = fold_code(address->country, faults);
	if (address->country.len == 0)
		address->country = fold_code(country, faults);
	if (zip_number && slice_is(address->country, "US"))
		address->zip = pad_zip(address->zip, faults);
	check_lengths(address, path, faults);
	check_codes(address, &sent, path, faults);
}
