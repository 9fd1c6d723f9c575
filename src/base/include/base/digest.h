/* SPDX-License-Identifier: MIT */
/* BLAKE2b (RFC 7693) with 256 bits, over bytes that are added piece by piece. Nobody can find other
 * bytes with the same digest. This digest has no key; the message authentication code of
 * auth/seal.h has one. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "base/slice.h"

#define DIGEST_BYTES 32
#define SALT_BYTES 16

/* Must not be copied: the position of the library's state in it depends on its address. */
struct digest {
	unsigned char state[448]; /* the library's own */
};

void digest_init(struct digest *digest);

/* Adds the bytes alone: neither their length nor a mark where they end. */
void digest_add(struct digest *digest, struct slice bytes);

/* Adds eight bytes, the least significant first. */
void digest_add_int(struct digest *digest, int64_t value);

/* Makes random bytes. If a digest begins with them, nobody can find the rest by trying. */
void salt_make(unsigned char out[SALT_BYTES]);

/* Ends the digest and writes it to `out`. */
void digest_final(struct digest *digest, unsigned char out[DIGEST_BYTES]);

#endif
