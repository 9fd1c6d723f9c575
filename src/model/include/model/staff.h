/* SPDX-License-Identifier: MIT */
/* Staff members: the users of an account. */
#ifndef MODEL_STAFF_H
#define MODEL_STAFF_H

#include "base/arena.h"
#include "base/err.h"
#include "model/field.h"

enum staff_access {
	STAFF_FULL,
	STAFF_LIMITED,
	STAFF_DISABLED,
};

struct staff {
	struct record record;
	struct slice external_id; /* "" when there is none */
	struct slice username;
	struct slice first_name, last_name;
	struct slice email;   /* "" when there is none: no alerts */
	int32_t access_level; /* enum staff_access */
	int32_t is_vendor;
	struct slice time_zone;                           /* IANA name */
	struct slice first_name_folded, last_name_folded; /* as they are searched and sorted */
	struct slice username_key;      /* staff_username_key(); no other has it */
	struct slice username_exact;    /* "", or where others do the spelling that signs in */
	struct slice username_skeleton; /* of names that look alike; text_skeleton() */
};

extern const struct record_type staff_type;

/* What user names of an account are told apart by: case, white space at the ends and ways to write
 * the same character make no difference. Errors as text_fold(). */
enum err staff_username_key(struct arena *arena, struct slice username, struct slice *key_out);

#endif
