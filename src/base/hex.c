/* SPDX-License-Identifier: MIT */
/* Bytes as hexadecimal digits. */
#include "base/hex.h"

#include <stdio.h>

void hex_write(const unsigned char *bytes, size_t count, char *hex)
{
	for (size_t i = 0; i < count; i++)
		snprintf(&hex[2 * i], 3, "%02x", bytes[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(const char *hex, unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
