/* SPDX-License-Identifier: MIT */
/* Bytes as hexadecimal digits, by libsodium. */
#include "base/hex.h"

#include <sodium.h>

void hex_write(const unsigned char *bytes, size_t count, char *hex)
{
	sodium_bin2hex(hex, HEX_BYTES(count), bytes, count);
}

bool hex_read(const char *hex, unsigned char *bytes, size_t count)
{
	return sodium_hex2bin(bytes, count, hex, 2 * count, NULL, NULL, NULL) == 0;
}
