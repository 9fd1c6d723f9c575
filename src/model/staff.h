/* SPDX-License-Identifier: MIT */
/* Staff members: the users of an account. */
#ifndef MODEL_STAFF_H
#define MODEL_STAFF_H

#include "model/field.h"

enum staff_access {
	STAFF_FULL,
	STAFF_LIMITED,
	STAFF_DISABLED,
};

struct staff {
	struct record record;
	struct slice username;
	struct slice first_name, last_name;
	struct slice email;   /* "" when there is none: no alerts */
	int32_t access_level; /* enum staff_access */
};

extern const struct record_type staff_type;

/* The rules that the rows do not say: a user name has no colon, which ends it in HTTP Basic (RFC
 * 7617, section 2); an e-mail address has one @, with something on both sides, and nothing that
 * mail would take for another address: enough to tell a slip. Faults as "staff.username". */
void staff_check(const struct staff *staff, struct faults *faults);

#endif
