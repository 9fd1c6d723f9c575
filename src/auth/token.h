/* SPDX-License-Identifier: MIT */
/* API tokens. A token is 192 random bits, so that a plain hash of it is enough to store. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/err.h"
#include "base/slice.h"
#include "store/store.h"

#define TOKEN_CHARS 39 /* "docket_" and 32 characters of base64url (RFC 4648, section 5) */

/* Call once before anything else of auth/. */
enum err auth_init(void);

/* A new token, terminated by NUL. */
void token_new(char token[TOKEN_CHARS + 1]);

/* What is stored of a token: BLAKE2b, 256 bits. */
void token_hash(struct slice token, unsigned char hash[TOKEN_HASH_BYTES]);

#endif
