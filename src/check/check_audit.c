/* SPDX-License-Identifier: MIT */
/* The rule of docket check about the audit log. It reports the first wrong entry. */
#include "audit/audit.h"
#include "check_private.h"

static enum err audit_on_break(void *context, int64_t number, const char *what)
{
	struct check *check = context;
	const struct check_entry entry = {
		.account_id = ID_NONE, .record = "entry", .id = number, .what = what};

	return check_add(check, &check->results[CHECK_AUDIT], &entry);
}

/* Reads one snapshot. */
enum err check_audit(struct check *check)
{
	enum err err = check->store->driver->begin(check->db);

	return err ? err : audit_verify(check->db, audit_on_break, check);
}
