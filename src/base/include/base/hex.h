/* SPDX-License-Identifier: MIT */
/* Bytes as hexadecimal digits. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

#define HEX_BYTES(bytes) (2 * (bytes) + 1)

/* Writes the digits, in lower case, and a NUL: HEX_BYTES(count) bytes. */
void hex_write(const unsigned char *bytes, size_t count, char *hex);

/* Reads 2 * `count` digits. False: one of them is no digit. */
bool hex_read(const char *hex, unsigned char *bytes, size_t count);

#endif
