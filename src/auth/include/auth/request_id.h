/* SPDX-License-Identifier: MIT */
/* The id of a request, which its answer and its line of the log carry (X-Request-Id): the client's
 * own, so that one id goes through all of its systems, or a new one. */
#ifndef AUTH_REQUEST_ID_H
#define AUTH_REQUEST_ID_H

#include <stdbool.h>

#include "base/slice.h"

#define REQUEST_ID_MAX 128 /* characters */
#define REQUEST_ID_NEW 32

/* 1 to REQUEST_ID_MAX letters, digits and -._~+/=:@ of ASCII: there are UUIDs, trace contexts (W3C)
 * and base64 in it, and nothing that a header, a shell or a log would read otherwise. */
bool request_id_is_sane(struct slice id);

/* 128 random bits in hexadecimal, terminated by NUL. */
void request_id_new(char id[REQUEST_ID_NEW + 1]);

#endif
