/* SPDX-License-Identifier: MIT */
/* The rules of postal addresses. The build makes the tables of codes from iso-codes. The codes of a
 * country are a sorted range of one array, so a check is one or two binary searches. */
#include "model/address.h"

#include <stdint.h>

#include "address_codes.h"
#include "base/text.h"
#include "model/field.h"

/* clang-format off */
#define PART(part, col, what, sample)                                                              \
	{.name = #part, .column = col, .type = FIELD_TEXT,                                         \
	 .offset = offsetof(struct address, part), .limit = ADDRESS_PART_CHARS, .help = what,    \
	 .example = sample}
/* clang-format on */

const struct field address_parts[ADDRESS_PARTS] = {
	PART(address_1, "1", "line 1 of the street address", "\"2000 Blake Street\""),
	PART(address_2, "2", "line 2 of the street address", NULL),
	PART(address_3, "3", "line 3 of the street address", NULL),
	PART(city, "city", "the city", "\"Denver\""),
	PART(state, "state",
	     "an ISO 3166-2 code of the country without its prefix, for the US also `AA`, `AE` and `AP`. If the "
	     "country has no codes, it is any text",
	     "\"CO\""),
	PART(zip, "zip", "the postal code", "\"80202\""),
	PART(country, "country", "an ISO 3166-1 alpha-2 code, by default the account's", "\"US\""),
};

#define PATH_BYTES 128

static struct slice address_part(const struct address *address, size_t part)
{
	return *(const struct slice *)CONST_FIELD_AT(address, &address_parts[part]);
}

/* Writes a code as the tables have it, NUL-terminated. False: `text` cannot be a code. The tables
 * have no empty code, and a NUL in `text` would hide what follows. */
static bool code_key(struct slice text, char key[ADDRESS_CODE_SIZE])
{
	if (text.len == 0 || text.len >= ADDRESS_CODE_SIZE || memchr(text.ptr, '\0', text.len))
		return false;
	memset(key, 0, ADDRESS_CODE_SIZE);
	memcpy(key, text.ptr, text.len);
	return true;
}

/* For both tables, because every row starts with its code. */
static int code_compare(const void *key, const void *row)
{
	return strcmp(key, row);
}

static const struct address_country *country_find(struct slice code)
{
	char key[ADDRESS_CODE_SIZE];

	if (!code_key(code, key))
		return NULL;
	return bsearch(key, address_countries, FIELD_COUNT(address_countries),
		       sizeof(address_countries[0]), code_compare);
}

static bool has_subdivision(const struct address_country *country, struct slice code)
{
	char key[ADDRESS_CODE_SIZE];

	return code_key(code, key) &&
	       bsearch(key, address_subdivisions[country->first], country->count,
		       sizeof(address_subdivisions[0]), code_compare);
}

bool country_is_known(struct slice country)
{
	return country_find(country) != NULL;
}

bool address_is_blank(const struct address *address)
{
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		if (!text_is_blank(address_part(address, i)))
			return false;
	}
	return true;
}

/* The text in ASCII capitals; unchanged if memory runs out. */
static struct slice code_fold(struct slice text, struct faults *faults)
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

static struct slice zip_pad(struct slice zip, struct faults *faults)
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

static void address_check_lengths(const struct address *address, const char *path,
				  struct faults *faults)
{
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		char name[PATH_BYTES];

		snprintf(name, sizeof(name), "%s.%s", path, address_parts[i].name);
		field_check_text(&address_parts[i], address_part(address, i), name, faults);
	}
}

/* A part that is too long has a fault already. */
static bool is_too_long(struct slice text)
{
	return text_chars(text) > ADDRESS_PART_CHARS;
}

/* UK is a common mistake for the code of the United Kingdom. */
static const char *country_hint(struct slice code)
{
	return slice_is(code, "UK") ? ": the United Kingdom is GB" : " such as US";
}

/* Returns a code that people know. In the table the first code of the United States is for military
 * mail, so Colorado is taken. */
static const char *country_example(const struct address_country *country)
{
	return strcmp(country->code, "US") == 0 ? "CO" : address_subdivisions[country->first];
}

/* `sent` is the address before its codes were folded. */
static void address_check_codes(const struct address *address, const struct address *sent,
				const char *path, struct faults *faults)
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
			   country_example(country), shown);
}

void address_normalize(struct address *address, bool zip_number, struct slice country,
		       const char *path, struct faults *faults)
{
	const struct address sent = *address;

	address->state = code_fold(address->state, faults);
	address->country = code_fold(address->country, faults);
	if (address->country.len == 0)
		address->country = code_fold(country, faults);
	if (zip_number && slice_is(address->country, "US"))
		address->zip = zip_pad(address->zip, faults);
	address_check_lengths(address, path, faults);
	address_check_codes(address, &sent, path, faults);
}
