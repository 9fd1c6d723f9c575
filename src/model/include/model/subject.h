/* SPDX-License-Identifier: MIT */
/* Subjects: the persons or firms that a case is about. Each belongs to one case. */
#ifndef MODEL_SUBJECT_H
#define MODEL_SUBJECT_H

#include "model/address.h"
#include "model/field.h"

struct subject {
	struct record record;
	struct slice external_id; /* "" when there is none */
	int64_t casefile_id;
	struct slice first_name, middle_name, last_name;
	struct slice name_folded; /* all three, as searched and sorted */
	struct slice last_name_folded;
	int32_t is_primary;
	struct address *address; /* NULL: none */
	struct slice notes;
};

extern const struct record_type subject_type;

#endif
