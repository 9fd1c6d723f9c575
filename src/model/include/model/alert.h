/* SPDX-License-Identifier: MIT */
/* Alerts: for each task, staff member and alert time one row of the ledger, the table `alert`. A
 * row says whether the message was sent, waits or failed, and why. */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include <stdint.h>

#include "base/slice.h"

/* A message that is later than this after its alert time is given up, in seconds. */
#define ALERT_GIVEN_UP_S (24 * 60 * 60)

/* alert_states says what each means. Stored: do not renumber. */
enum alert_state {
	ALERT_WAITING, /* for its time, or for its next attempt */
	ALERT_LEASED,
	ALERT_SENT,
	ALERT_FAILED,
	ALERT_SKIPPED,
	ALERT_CANCELLED,
	ALERT_STATES,
};

/* Why a row is in its state; alert_reasons says more. Stored: do not renumber. */
enum alert_reason {
	ALERT_NO_REASON,
	ALERT_NO_MAIL, /* the process has no --smtp-url */
	ALERT_DISABLED,
	ALERT_NO_ADDRESS,
	ALERT_TOO_LATE, /* the first attempt would be ALERT_GIVEN_UP_S late, or later */
	ALERT_REFUSED,
	ALERT_GIVEN_UP, /* the attempts have failed until ALERT_GIVEN_UP_S after the alert time */
	ALERT_MOVED,
	ALERT_UNASSIGNED,
	ALERT_COMPLETED,
	ALERT_DELETED,
	ALERT_BY_COMMAND, /* docket alerts cancel */
	ALERT_ZONE_MISSING,
	ALERT_CAPPED,
	ALERT_RETRY, /* the last attempt failed */
	ALERT_PERHAPS_SENT,
	ALERT_BAD_ADDRESS,
	ALERT_REASONS,
};

/* What the API and commands call them ("waiting", "no_address"), and what they mean: a phrase. */
struct alert_state_row {
	const char *name, *help;
};
struct alert_reason_row {
	const char *name; /* "" for ALERT_NO_REASON */
	enum alert_state state;
	const char *help;
};
extern const struct alert_state_row alert_states[ALERT_STATES];
extern const struct alert_reason_row alert_reasons[ALERT_REASONS];

/* The key of a row. */
struct alert_key {
	int64_t account_id;
	int64_t task_id;
	int64_t staff_id;
	int64_t alert_at;
};

/* A row. */
struct alert_row {
	struct alert_key key;
	enum alert_state state;
	enum alert_reason reason;
	int64_t attempts;    /* begun; one that was given back does not count */
	int64_t due_at;      /* waiting: the next attempt; leased: the lease's end; or TIME_NONE */
	int64_t ended_at;    /* sent, failed, skipped or cancelled: when; or TIME_NONE */
	int64_t uncertain;   /* attempts after which nobody knows whether the message was sent */
	struct slice answer; /* the mail server's last answer; "": none yet */
};

#endif
