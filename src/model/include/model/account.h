/* SPDX-License-Identifier: MIT */
/* Accounts: agencies, each with its own staff and records, and what each is set to. */
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
	struct slice country;   /* of addresses that name none: ISO 3166-1 alpha-2 */
	bool require_case;      /* a task must have a case */
	struct slice expand;    /* what is expanded where a request does not say: "case,users" */
	int32_t alert_minute;   /* of the day: what a bare date in alert_at means */
	struct slice time_zone; /* the zone of that minute; IANA, NUL behind it */
};

/* Whether it can be the name of an account. */
bool account_name_is_valid(struct slice name);

/* Every setting against its rules; faults are named `country`, `expand`, `time_zone`. */
void account_check(const struct account *account, struct faults *faults);

#endif
