/* SPDX-License-Identifier: MIT */
/* Accounts: agencies, each with its own staff, records and settings. */
#ifndef MODEL_ACCOUNT_H
#define MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/fault.h"

#define ACCOUNT_NAME_MAX 63

struct account {
	int64_t id;
	struct slice name;      /* a label of a host name (RFC 1123, section 2.1), lower case */
	struct slice country;   /* of addresses without one: ISO 3166-1 alpha-2 */
	bool require_case;      /* a task must have a case */
	struct slice expand;    /* the default of the parameter expand: "case,users" */
	int32_t alert_minute;   /* minute of the day that a date without a time in alert_at means */
	struct slice time_zone; /* the IANA name of its zone, NUL-terminated */
};

/* Whether `name` can be the name of an account. */
bool account_name_is_valid(struct slice name);

/* Checks every setting. The fields of faults are `country`, `expand` and `time_zone`. */
void account_check(const struct account *account, struct faults *faults);

#endif
