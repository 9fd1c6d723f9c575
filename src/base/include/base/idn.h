/* SPDX-License-Identifier: MIT */
/* Internationalized domain names. */
#ifndef BASE_IDN_H
#define BASE_IDN_H

#include <stdbool.h>

#include "base/slice.h"

#define DOMAIN_BYTES 254 /* with the NUL */

/* Writes a domain in ASCII, as the DNS has it: letters, digits, hyphens and dots. A label with
 * other letters becomes its A-label, such as "xn--bcher-kva" (UTS #46). False: it is none. */
bool domain_to_ascii(struct slice domain, char out[DOMAIN_BYTES]);

#endif
