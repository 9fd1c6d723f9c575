/* SPDX-License-Identifier: MIT */
/* API tokens. A token has 192 random bits, so it is safe to store a plain hash of it. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "accounts/accounts.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/store.h"

#define TOKEN_CHARS 39 /* "docket_" and 32 characters of base64url (RFC 4648, section 5) */

/* Call it once, before any other function of auth/. */
enum err auth_init(void);

/* A new token, terminated by NUL. */
void token_new(char token[TOKEN_CHARS + 1]);

/* Hashes a token with BLAKE2b (256 bits). docket stores this hash, not the token. */
void token_hash(struct slice token, unsigned char hash[TOKEN_HASH_BYTES]);

/* Writes a hash as hexadecimal digits, with a NUL, and reads it back. token_hash_read() is false if
 * `text` is not a hash. */
#define TOKEN_HASH_CHARS (2 * TOKEN_HASH_BYTES)
void token_hash_write(const unsigned char hash[TOKEN_HASH_BYTES], char text[TOKEN_HASH_CHARS + 1]);
bool token_hash_read(struct slice text, unsigned char hash[TOKEN_HASH_BYTES]);

#endif
