/* SPDX-License-Identifier: MIT */
/* The names of the states of alerts and of the reasons. */
#include "model/alert.h"

const char *const alert_state_names[ALERT_STATES] = {
	[ALERT_WAITING] = "waiting", [ALERT_LEASED] = "leased",   [ALERT_SENT] = "sent",
	[ALERT_FAILED] = "failed",   [ALERT_SKIPPED] = "skipped", [ALERT_CANCELLED] = "cancelled",
};

const char *const alert_reason_names[ALERT_REASONS] = {
	[ALERT_NO_REASON] = "",
	[ALERT_NO_MAIL] = "no_mail_server",
	[ALERT_DISABLED] = "staff_disabled",
	[ALERT_NO_ADDRESS] = "no_address",
	[ALERT_TOO_LATE] = "too_late",
	[ALERT_REFUSED] = "refused",
	[ALERT_GIVEN_UP] = "given_up",
	[ALERT_MOVED] = "alert_moved",
	[ALERT_UNASSIGNED] = "unassigned",
	[ALERT_COMPLETED] = "task_completed",
	[ALERT_DELETED] = "task_deleted",
	[ALERT_BY_COMMAND] = "by_command",
	[ALERT_ZONE_MISSING] = "zone_missing",
	[ALERT_CAPPED] = "capped",
	[ALERT_RETRY] = "retry",
	[ALERT_PERHAPS_SENT] = "perhaps_sent",
	[ALERT_BAD_ADDRESS] = "bad_address",
};
