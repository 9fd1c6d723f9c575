/* SPDX-License-Identifier: MIT */
/* Postal addresses: the seven parts of the API's address object, and their rules. The codes of
 * countries and subdivisions are those of ISO 3166-1 and 3166-2. The build takes them from Debian's
 * iso-codes (tools/address-codes.py). */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdbool.h>

#include "base/slice.h"
#include "model/fault.h"

#define ADDRESS_PART_CHARS 255

/* An empty part is "" (len 0). In a stored address `country` is never empty. */
struct address {
	struct slice address_1, address_2, address_3, city, state, zip, country;
};

/* Brings a decoded address into its stored form and checks it. Parts come as they were sent, and no
 * ptr is NULL. `zip_number`: zip was a JSON number, and has its decimal digits. `country` is the
 * account's country.
 * - The letters of state and country become capitals (ASCII only).
 * - An empty country becomes `country`.
 * - In the US, a zip that was a number is padded with zeros to five digits.
 * - The rules: at most ADDRESS_PART_CHARS in each part; a country of ISO 3166-1; a state that is ""
 *   or a subdivision code of the country without its prefix (in the US also AA, AE, AP), or any
 *   text if the country has no codes.
 * Adds faults for `<path>.state` and so on; `path` is such as "task.address". Changed texts are in
 * the faults' arena. Sets faults->nomem if memory runs out. */
void address_normalize(struct address *address, bool zip_number, struct slice country,
		       const char *path, struct faults *faults);

/* Whether every part is empty or blank. Such an address is stored as NULL. */
bool address_is_blank(const struct address *address);

/* Whether `country` is an ISO 3166-1 alpha-2 code, in capitals. */
bool country_is_known(struct slice country);

#endif
