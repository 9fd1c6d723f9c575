/* SPDX-License-Identifier: MIT */
/* The states of alerts and the reasons: a row for each. */
#include "model/alert.h"

/* clang-format off */
const struct alert_state_row alert_states[ALERT_STATES] = {
	[ALERT_WAITING] = {"waiting", "the message is to be sent at the alert time, or at the time of the next attempt"},
	[ALERT_LEASED] = {"leased", "a docket process sends the message now"},
	[ALERT_SENT] = {"sent", "the mail server has accepted the message"},
	[ALERT_FAILED] = {"failed", "docket has tried to send the message, and does not try again"},
	[ALERT_SKIPPED] = {"skipped", "docket has not tried to send the message, and will not"},
	[ALERT_CANCELLED] = {"cancelled", "the message is not wanted any more"},
};

const struct alert_reason_row alert_reasons[ALERT_REASONS] = {
	[ALERT_NO_REASON] = {.name = ""},
	[ALERT_NO_MAIL] = {"no_mail_server", ALERT_SKIPPED,
		"docket has no mail server. On PostgreSQL the alert waits a day for a docket process that has one; the "
		"reason is then `too_late`"},
	[ALERT_DISABLED] = {"staff_disabled", ALERT_SKIPPED, "the staff member is disabled"},
	[ALERT_NO_ADDRESS] = {"no_address", ALERT_SKIPPED, "the staff member has no e-mail address"},
	[ALERT_TOO_LATE] = {"too_late", ALERT_SKIPPED, "the alert time was a day past"},
	[ALERT_REFUSED] = {"refused", ALERT_FAILED, "the mail server refuses the message for good"},
	[ALERT_GIVEN_UP] = {"given_up", ALERT_FAILED, "all attempts of a day have failed"},
	[ALERT_MOVED] = {"alert_moved", ALERT_CANCELLED, "the alert time of the task was changed or removed"},
	[ALERT_UNASSIGNED] = {"unassigned", ALERT_CANCELLED,
		"the staff member is not assigned to the task any more"},
	[ALERT_COMPLETED] = {"task_completed", ALERT_CANCELLED, "the task was completed"},
	[ALERT_DELETED] = {"task_deleted", ALERT_CANCELLED, "the task was deleted"},
	[ALERT_BY_COMMAND] = {"by_command", ALERT_CANCELLED, "an operator has cancelled the alert"},
	[ALERT_ZONE_MISSING] = {"zone_missing", ALERT_WAITING,
		"the server lacks the time zone of the staff member or of the account"},
	[ALERT_CAPPED] = {"capped", ALERT_WAITING,
		"docket has sent as many messages as it may at present"},
	[ALERT_RETRY] = {"retry", ALERT_WAITING, "an attempt has failed"},
	[ALERT_PERHAPS_SENT] = {"perhaps_sent", ALERT_FAILED,
		"after each of three attempts nobody knew whether the mail server had accepted the message"},
	[ALERT_BAD_ADDRESS] = {"bad_address", ALERT_SKIPPED,
		"no message can be sent to the e-mail address, for example because it is not ASCII before the `@`"},
};
/* clang-format on */
