/* SPDX-License-Identifier: MIT */
/* Sealed texts, by libsodium. */
#include "auth/seal.h"

#include <sodium.h>

#define CODE_BYTES ((size_t)crypto_generichash_BYTES_MIN)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(SEAL_KEY_BYTES == crypto_generichash_KEYBYTES, "the key of BLAKE2b");

static const unsigned char *slice_bytes(struct slice text)
{
	return (const unsigned char *)(text.len ? text.ptr : "");
}

static void make_code(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose,
		      struct slice payload, unsigned char code[CODE_BYTES])
{
	uint64_t purpose_len = purpose.len;
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, SEAL_KEY_BYTES, CODE_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)&purpose_len, sizeof(purpose_len));
	crypto_generichash_update(&state, slice_bytes(purpose), purpose.len);
	crypto_generichash_update(&state, slice_bytes(payload), payload.len);
	crypto_generichash_final(&state, code, CODE_BYTES);
}

char *seal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice payload,
	   struct arena *arena)
{
	size_t len = payload.len + CODE_BYTES, room = sodium_base64_encoded_len(len, VARIANT);
	unsigned char *sealed = arena_alloc(arena, len);
	char *text = arena_alloc(arena, room);

	if (!sealed || !text)
		return NULL;
	memcpy(sealed, slice_bytes(payload), payload.len);
	make_code(key, purpose, payload, sealed + payload.len);
	return sodium_bin2base64(text, room, sealed, len, VARIANT);
}

enum err unseal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice text,
		struct arena *arena, struct slice *payload_out)
{
	unsigned char *sealed = arena_alloc(arena, text.len + 1);
	unsigned char code[CODE_BYTES];
	struct slice payload;
	size_t len;

	if (!sealed)
		return ERR_NOMEM;
	if (text.len == 0 ||
	    sodium_base642bin(sealed, text.len, text.ptr, text.len, NULL, &len, NULL, VARIANT) ||
	    len < CODE_BYTES)
		return ERR_INVALID;
	payload = (struct slice){(const char *)sealed, len - CODE_BYTES};
	make_code(key, purpose, payload, code);
	if (sodium_memcmp(code, sealed + payload.len, CODE_BYTES) != 0)
		return ERR_INVALID;
	*payload_out = payload;
	return OK;
}

void seal_digest(struct slice text, unsigned char digest[SEAL_DIGEST_BYTES])
{
	unsigned char whole[CODE_BYTES];

	crypto_generichash(whole, CODE_BYTES, slice_bytes(text), text.len, NULL, 0);
	memcpy(digest, whole, SEAL_DIGEST_BYTES);
}
