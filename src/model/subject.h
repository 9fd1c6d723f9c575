/* SPDX-License-Identifier: MIT */
/* Subjects: whom a case is about. Each belongs to one case. */
#ifndef MODEL_SUBJECT_H
#define MODEL_SUBJECT_H

#include "model/address.h"
#include "model/field.h"

struct subject {
	struct record record;
	int64_t casefile_id;
	struct slice first_name, last_name;
	struct address *address; /* NULL: none */
};

extern const struct record_type subject_type;

#endif
