/* SPDX-License-Identifier: MIT */
/* Sealed texts: a client keeps one for the server and cannot change it unnoticed. A sealed text is
 * a payload with a message authentication code. It is not secret. */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define SEAL_KEY_BYTES 32
#define SEAL_DIGEST_BYTES 8

/* Returns the base64url (RFC 4648, section 5) of the payload and of a keyed BLAKE2b over `purpose`
 * and the payload. It is in the arena; NULL if memory runs out. */
char *seal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice payload,
	   struct arena *arena);

/* Returns the payload, in the arena. ERR_INVALID if the text was not sealed with this key and
 * purpose. */
enum err unseal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice text,
		struct arena *arena, struct slice *payload_out);

/* A short BLAKE2b, to tell texts apart. */
void seal_digest(struct slice text, unsigned char digest[SEAL_DIGEST_BYTES]);

#endif
