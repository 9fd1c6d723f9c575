/* SPDX-License-Identifier: MIT */
/* The merge patch of a record (RFC 7396), as a write of it has it. */
#ifndef RECORDS_PATCH_H
#define RECORDS_PATCH_H

#include "codec/codec.h"

struct record_patch {
	const json_t *fields; /* the object around the fields */
	struct decode decode; /* how they are decoded; its faults are the write's */
	/* Bytes of decode.ignored before the patch is decoded, which may be done more than once. */
	size_t ignored;
};

#endif
