/* SPDX-License-Identifier: MIT */
/* The syntax that header values share (RFC 9110, section 5.6). */
#ifndef HTTP_HEADER_ITEMS_H
#define HTTP_HEADER_ITEMS_H

#include <stdbool.h>

#include "base/slice.h"

/* Takes the next item from the front of `rest`, without the blanks around it. A separator in a
 * quoted string does not count. False: nothing is left. */
bool header_next(struct slice *rest, char separator, struct slice *item_out);
/* Splits `name=value`, and takes the quotes off the value. Returns the name. value_out->ptr is NULL
 * if there is no `=`. */
struct slice header_parameter(struct slice item, struct slice *value_out);

#endif
