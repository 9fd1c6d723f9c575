/* SPDX-License-Identifier: MIT */
/* The merge patch of a record (RFC 7396), for a record_write. */
#ifndef RECORDS_PATCH_H
#define RECORDS_PATCH_H

#include "codec/codec.h"

struct record_patch {
	/* The JSON object that has the fields, as text. The parsed body is freed before the write
	 * waits. */
	struct slice text;
	struct decode decode; /* how to decode them; its faults are those of the write */
	/* The length of decode.ignored before the patch was decoded; every run of the write starts
	 * from this length. */
	size_t ignored;
};

#endif
