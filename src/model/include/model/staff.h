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
	struct slice email;   /* "": none, and no alerts */
	int32_t access_level; /* enum staff_access */
	int32_t is_vendor;
	struct slice time_zone;                           /* IANA name */
	struct slice first_name_folded, last_name_folded; /* as searched and sorted */
	struct slice username_key;                        /* by staff_username_key() */
	struct slice username_exact;    /* if others have the key: the user name; else "" */
	struct slice username_skeleton; /* the same for names that look alike; by text_skeleton() */
};

extern const struct record_type staff_type;

/* The key by which the user names of an account are compared. Case, white space at the ends, and
 * different encodings of the same character make no difference. Errors as text_fold(). */
enum err staff_username_key(struct arena *arena, struct slice username, struct slice *key_out);

#endif
