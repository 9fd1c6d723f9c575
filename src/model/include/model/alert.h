/* SPDX-License-Identifier: MIT */
/* Alerts: for each task, staff member and alert time one row of the ledger, the table `alert`. A
 * row says whether the message was sent, waits or failed, and why. */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include <stdint.h>

#include "base/slice.h"

/* A message that is later than this after its alert time is given up, in seconds. */
#define ALERT_GIVEN_UP_S (24 * 60 * 60)

/* Stored: do not renumber. */
enum alert_state {
	ALERT_WAITING,   /* for its time, or for its next attempt */
	ALERT_LEASED,    /* a process sends it now */
	ALERT_SENT,      /* the mail server has accepted the message */
	ALERT_FAILED,    /* the mail server has refused it, or it was given up after attempts */
	ALERT_SKIPPED,   /* docket has not tried to send it */
	ALERT_CANCELLED, /* the task does not want it any more, or an operator has cancelled it */
	ALERT_STATES,
};

/* Why a row is in its state. Stored: do not renumber. */
enum alert_reason {
	ALERT_NO_REASON,
	/* Skipped. */
	ALERT_NO_MAIL,    /* the process has no --smtp-url */
	ALERT_DISABLED,   /* the staff member is disabled */
	ALERT_NO_ADDRESS, /* the staff member has no e-mail address */
	ALERT_TOO_LATE,   /* the first attempt would be ALERT_GIVEN_UP_S late, or later */
	/* Failed. */
	ALERT_REFUSED,  /* the mail server has refused it for good */
	ALERT_GIVEN_UP, /* the attempts have failed until ALERT_GIVEN_UP_S after the alert time */
	/* Cancelled. */
	ALERT_MOVED,      /* the alert time was changed or removed */
	ALERT_UNASSIGNED, /* the staff member is not assigned to the task any more */
	ALERT_COMPLETED,  /* the task was completed */
	ALERT_DELETED,    /* the task was deleted */
	ALERT_BY_COMMAND, /* docket alerts cancel */
	/* Waiting. */
	ALERT_ZONE_MISSING, /* this system lacks the staff member's or the account's time zone */
	ALERT_CAPPED,       /* as many messages were sent as may be in that time */
	ALERT_RETRY,        /* the last attempt failed */
	/* Failed. */
	ALERT_PERHAPS_SENT, /* after several attempts nobody knows whether the message was sent */
	/* Skipped. */
	ALERT_BAD_ADDRESS, /* no message can be sent to the staff member's e-mail address */
	ALERT_REASONS,
};

/* Their names in the API and in commands: "waiting", "no_address". The second is "" for
 * ALERT_NO_REASON. */
extern const char *const alert_state_names[ALERT_STATES];
extern const char *const alert_reason_names[ALERT_REASONS];

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
