/* SPDX-License-Identifier: MIT */
/* Makes and hashes API tokens. */
#include "accounts/accounts.h"
#include "auth/token.h"

#include <sodium.h>

#define PREFIX "docket_" /* scanners for leaked secrets recognize tokens by it */
#define RANDOM_BYTES 24

enum err auth_init(void)
{
	return sodium_init() < 0 ? ERR_INTERNAL : OK;
}

void token_new(char token[TOKEN_CHARS + 1])
{
	unsigned char bytes[RANDOM_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	memcpy(token, PREFIX, sizeof(PREFIX) - 1);
	sodium_bin2base64(token + sizeof(PREFIX) - 1, TOKEN_CHARS + 1 - (sizeof(PREFIX) - 1), bytes,
			  sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

void token_hash(struct slice token, unsigned char hash[TOKEN_HASH_BYTES])
{
	const char *bytes = token.len ? token.ptr : "";

	crypto_generichash(hash, TOKEN_HASH_BYTES, (const unsigned char *)bytes, token.len, NULL,
			   0);
}

void token_hash_write(const unsigned char hash[TOKEN_HASH_BYTES], char text[TOKEN_HASH_CHARS + 1])
{
	sodium_bin2hex(text, TOKEN_HASH_CHARS + 1, hash, TOKEN_HASH_BYTES);
}

bool token_hash_read(struct slice text, unsigned char hash[TOKEN_HASH_BYTES])
{
	size_t len;

	return text.len == TOKEN_HASH_CHARS &&
	       sodium_hex2bin(hash, TOKEN_HASH_BYTES, text.ptr, text.len, NULL, &len, NULL) == 0 &&
	       len == TOKEN_HASH_BYTES;
}
