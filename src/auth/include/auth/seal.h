/* SPDX-License-Identifier: MIT */
/* What a client carries for the server and cannot change: text of a payload and a code over it. It
 * is not secret. */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define SEAL_KEY_BYTES 32
#define SEAL_DIGEST_BYTES 8

/* base64url (RFC 4648, section 5) of the payload and a keyed BLAKE2b over it and `purpose`, in the
 * arena; NULL when memory is out. */
char *seal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice payload,
	   struct arena *arena);

/* The payload, in the arena. ERR_INVALID where the text is no seal of this key and purpose. */
enum err unseal(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose, struct slice text,
		struct arena *arena, struct slice *payload_out);

/* A short BLAKE2b, to tell one text from another. */
void seal_digest(struct slice text, unsigned char digest[SEAL_DIGEST_BYTES]);

#endif
