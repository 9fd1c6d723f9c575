/* SPDX-License-Identifier: MIT */
/* The message of an alert, as the staff member reads it: plain text, and the same as HTML. */
#ifndef ALERTS_MESSAGE_H
#define ALERTS_MESSAGE_H

#include "alerts/alerts.h"

struct alert_message {
	const char *to_name; /* of the staff member */
	const char *subject;
	const char *text; /* lines end with \n */
	const char *html;
	char task_id[24]; /* for the header X-Docket-Task */
};

/* Builds the message in the arena. It shows times in the staff member's time zone, or else in the
 * account's. `base_url`: what the link to the task begins with, as docket serve has it: no slash at
 * its end; "": the message has no link. `with_account`: the name of the account goes before its
 * host.
 *
 * All texts are UTF-8. `to_name` and `subject` have one line: characters that would move or hide
 * the text around them (see text_shown()) have become "?". ERR_NOT_FOUND: the system's tzdata does
 * not have the time zone. */
enum err alert_message_build(const struct alert *alert, struct slice base_url, bool with_account,
			     struct arena *arena, struct alert_message *message_out);

#endif
