/* SPDX-License-Identifier: MIT */
/* Postal addresses: the seven parts of the API's address object, and their rules. Country and
 * subdivision codes are those of ISO 3166-1 and 3166-2, taken from Debian's iso-codes when
 * docket is built (tools/address-codes.py). */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdbool.h>

#include "base/slice.h"
#include "model/fault.h"

#define ADDRESS_PART_CHARS 255

/* Every part is "" (len 0) when empty; `country` never is in a stored address. */
struct address {
	struct slice address_1, address_2, address_3, city, state, zip, country;
};

/* Brings a decoded address into its stored form and checks it.
 * In: parts as they were sent, with no NULL pointers behind a length; `zip_number` says that zip
 * came as a JSON number and holds its decimal digits. `country` is the account's own country.
 * - state and country are folded to capitals (ASCII letters only);
 * - an empty country becomes `country`;
 * - a zip number is padded with zeros to five digits where the country is US;
 * - the rules: ADDRESS_PART_CHARS for each part, a country of ISO 3166-1, a state that is "" or
 *   one of the country's subdivision codes without the prefix (for US also AA, AE, AP), free text
 *   where the country has none.
 * Faults are named `<path>.state` and so on; `path` is as "task.address". Changed texts are in
 * the faults' arena. Memory running out is told by faults->nomem. */
void address_normalize(struct address *address, bool zip_number, struct slice country,
		       const char *path, struct faults *faults);

/* True when every part is empty or blank: such an address is stored as none. */
bool address_is_blank(const struct address *address);

/* ISO 3166-1 alpha-2, in capitals. */
bool country_is_known(struct slice country);

#endif
