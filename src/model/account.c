/* SPDX-License-Identifier: MIT */
/* The rules of an account's settings. */
#include "model/account.h"

#include "base/text.h"
#include "base/zone.h"
#include "model/address.h"
#include "model/list.h"
#include "model/task.h"

bool account_name_is_valid(struct slice name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	for (size_t i = 0; i < name.len; i++)
		if (!memchr(chars, name.ptr[i], sizeof(chars) - 1))
			return false;
	return name.len && name.len <= ACCOUNT_NAME_MAX && name.ptr[0] != '-' &&
	       name.ptr[name.len - 1] != '-';
}

void account_check(const struct account *account, struct faults *faults)
{
	uint32_t expansions;

	if (!country_is_known(account->country))
		faults_add(faults, "country", FAULT_CHOICE,
			   "must be an ISO 3166-1 country code such as US; got \"%s\"",
			   text_shown(faults->arena, account->country, SHOWN_CHARS));
	if (!expansions_read(task_type.lists, account->expand, &expansions))
		faults_add(faults, "expand", FAULT_CHOICE,
			   "must be names that the parameter expand takes, separated by commas; "
			   "got \"%s\"",
			   text_shown(faults->arena, account->expand, SHOWN_CHARS));
	if (!zone_is_known(account->time_zone.ptr))
		faults_add(faults, "time_zone", FAULT_CHOICE,
			   "must be an IANA time zone such as Europe/Berlin; got \"%s\"",
			   text_shown(faults->arena, account->time_zone, SHOWN_CHARS));
}
