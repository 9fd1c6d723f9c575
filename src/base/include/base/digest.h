/* SPDX-License-Identifier: MIT */
/* BLAKE2b (RFC 7693) of 256 bits, over bytes that come one after another. It tells what was changed
 * from what was not, also by somebody who means harm; it is no code of a key: see auth/seal.h. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "base/slice.h"

#define DIGEST_BYTES 32

/* Not to be copied. */
struct digest {
	unsigned char state[448]; /* the library's own */
};

void digest_init(struct digest *digest);

/* Bytes alone, without a mark where they end. */
void digest_add(struct digest *digest, struct slice bytes);

/* Eight bytes, the lowest first. */
void digest_add_int(struct digest *digest, int64_t value);

/* Ends it. */
void digest_final(struct digest *digest, unsigned char out[DIGEST_BYTES]);

#endif
