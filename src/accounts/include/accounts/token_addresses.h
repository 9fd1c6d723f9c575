/* SPDX-License-Identifier: MIT */
/* The addresses that a token may be used from: a comma list of addresses and networks, such as
 * "192.0.2.7,2001:db8::/32" (RFC 4632, RFC 4291). An empty list is every address. */
#ifndef ACCOUNTS_TOKEN_ADDRESSES_H
#define ACCOUNTS_TOKEN_ADDRESSES_H

#include <stdbool.h>

#include "base/ip.h"
#include "base/slice.h"

#define TOKEN_ADDRESSES_MAX 32

/* Whether the list is right. If not, `wrong_out` is the first wrong entry; an entry behind the
 * TOKEN_ADDRESSES_MAX-th is wrong. */
bool token_addresses_are_valid(const char *list, struct slice *wrong_out);

/* Whether an address is in the list, which NUL follows if it is not empty. A network of IPv6 has no
 * IPv4 addresses. A wrong entry has none at all. */
bool token_addresses_have(struct slice list, const struct ip *ip);

#endif
