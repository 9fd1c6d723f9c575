/* SPDX-License-Identifier: MIT */
/* The ids of requests. */
#include "auth/request_id.h"

#include <sodium.h>

bool request_id_is_sane(struct slice id)
{
	static const char others[] = "-._~+/=:@";

	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c != '\0' && strchr(others, c))))
			return false;
	}
	return id.len > 0 && id.len <= REQUEST_ID_MAX;
}

void request_id_new(char id[REQUEST_ID_NEW + 1])
{
	enum { BYTES = REQUEST_ID_NEW / 2 };
	/* Each thread asks the kernel for the bytes of many ids at once. */
	static _Thread_local unsigned char bytes[64 * BYTES];
	static _Thread_local size_t left;

	if (left == 0) {
		randombytes_buf(bytes, sizeof(bytes));
		left = sizeof(bytes);
	}
	left -= BYTES;
	sodium_bin2hex(id, REQUEST_ID_NEW + 1, bytes + left, BYTES);
}
