/* SPDX-License-Identifier: MIT */
/* The id of a request. The answer (X-Request-Id) and the line in the log have it. If the client
 * sends an id, docket uses that, so that a client can follow one id through all its systems.
 * Otherwise docket makes a new one. */
#ifndef AUTH_REQUEST_ID_H
#define AUTH_REQUEST_ID_H

#include <stdbool.h>

#include "base/slice.h"

#define REQUEST_ID_MAX 128 /* characters */
#define REQUEST_ID_NEW 32

/* Whether `id` is 1 to REQUEST_ID_MAX ASCII letters, digits and -._~+/=:@. This allows UUIDs, trace
 * contexts (W3C) and base64, but nothing that has a meaning of its own in a header, a shell or a
 * log. */
bool request_id_is_sane(struct slice id);

/* 128 random bits in hexadecimal, terminated by NUL. */
void request_id_new(char id[REQUEST_ID_NEW + 1]);

#endif
