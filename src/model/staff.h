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
};

extern const struct record_type staff_type;

/* The rules that the rows do not say: a user name has no colon, which ends it in HTTP Basic (RFC
 * 7617, section 2); an e-mail address has one @, with something on both sides, and nothing that
 * mail would take for another address: enough to tell a slip. Faults as "staff.username". */
void staff_check(const struct staff *staff, struct faults *faults);

/* Fills in the names as they are searched, and UTC where no time zone is given. */
enum err staff_settle(void *record, const void *before, const struct occasion *occasion);

#endif
