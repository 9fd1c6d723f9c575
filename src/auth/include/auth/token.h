/* SPDX-License-Identifier: MIT */
/* API tokens. A token is 192 random bits, so that a plain hash of it is enough to store. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "accounts/accounts.h"
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

/* The hash as hexadecimal digits, with a NUL; and back, which is false where it is none. */
#define TOKEN_HASH_CHARS (2 * TOKEN_HASH_BYTES)
void token_hash_write(const unsigned char hash[TOKEN_HASH_BYTES], char text[TOKEN_HASH_CHARS + 1]);
bool token_hash_read(struct slice text, unsigned char hash[TOKEN_HASH_BYTES]);

#endif
