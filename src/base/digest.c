/* SPDX-License-Identifier: MIT */
/* BLAKE2b by libsodium. */
#include "base/digest.h"

#include <sodium.h>

/* libsodium's state needs this alignment. Not every compiler aligns objects on the stack so. */
#define ALIGN 64

_Static_assert(sizeof(struct digest) >= sizeof(crypto_generichash_state) + ALIGN - 1, "room");
_Static_assert(DIGEST_BYTES == crypto_generichash_BYTES, "BLAKE2b of 256 bits");

static crypto_generichash_state *digest_state(struct digest *digest)
{
	uintptr_t at = ((uintptr_t)digest->state + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);

	return (crypto_generichash_state *)at;
}

void digest_init(struct digest *digest)
{
	/* Chooses the fastest code for this CPU. A failure means that this machine gives no random
	 * numbers. Digests need none. */
	int ready = sodium_init();

	(void)ready;
	crypto_generichash_init(digest_state(digest), NULL, 0, DIGEST_BYTES);
}

void digest_add(struct digest *digest, struct slice bytes)
{
	crypto_generichash_update(digest_state(digest),
				  (const unsigned char *)(bytes.len ? bytes.ptr : ""), bytes.len);
}

void digest_add_int(struct digest *digest, int64_t value)
{
	char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)((uint64_t)value >> 8 * i);
	digest_add(digest, (struct slice){bytes, sizeof(bytes)});
}

void salt_make(unsigned char out[SALT_BYTES])
{
	randombytes_buf(out, SALT_BYTES);
}

void digest_final(struct digest *digest, unsigned char out[DIGEST_BYTES])
{
	crypto_generichash_final(digest_state(digest), out, DIGEST_BYTES);
}
