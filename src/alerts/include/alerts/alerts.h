/* SPDX-License-Identifier: MIT */
/* The ledger of alerts, for the process that sends them. records/ writes the rows: they follow
 * every change of a task in its own transaction. A sender leases rows that are due, loads each one
 * just before it sends it, sends it outside of any transaction, and records the outcome.
 *
 *	const struct alerts_want want = {.most = 20, .seconds = 300, .mail = true};
 *	struct alerts_leased leased;
 *
 *	err = alerts_lease(store, &want, &arena, &leased);
 *	for (size_t i = 0; i < leased.count && !err; i++) {
 *		struct alert alert;
 *
 *		err = alert_load(store, &leased.list[i], &arena, &alert);
 *		if (err == ERR_NOT_FOUND)
 *			continue; // the task has changed: send nothing, record nothing
 *		alert_record_init(&record, &leased.list[i]);
 *		record.outcome = alert.reason ? ALERT_NOT_SENT : send(&alert, &record.answer);
 *		record.reason = alert.reason;
 *		err = store_write(store, &record.write); // or store_submit(), and go on
 *	}
 *
 * Each function may be called by several threads and processes at once. All times come from the
 * ledger's clock: the clock of a PostgreSQL database, so that the clocks of its processes do not
 * matter; for a folder the clock of the store. */
#ifndef ALERTS_ALERTS_H
#define ALERTS_ALERTS_H

#include "model/account.h"
#include "model/alert.h"
#include "model/calendar.h"
#include "model/case_service.h"
#include "model/casefile.h"
#include "model/staff.h"
#include "model/subject.h"
#include "model/task.h"
#include "store/store.h"

/* A lease of one row. Until it ends, no other sender gets the row. */
struct alert_lease {
	struct alert_key key;
	int64_t attempt; /* 1 for the first; identifies the lease */
};

/* Lets accounts take turns, however many rows of one are due. The caller zeroes it once, gives it
 * to all its leases, and frees it by buf_release(&turns.served). */
struct alerts_turns {
	struct buf served; /* the ids of the accounts that have had their turn */
	int64_t round_at;  /* when all had had theirs, by the ledger's clock */
};

struct alerts_want {
	size_t most; /* rows, at least 1 */
	int seconds; /* how long the leases last: longer than sending all of them can take */
	/* False: there is no --smtp-url, and nothing is leased. In a folder what is due is skipped.
	 * On PostgreSQL it waits for a process that has one. */
	bool mail;
	/* Accounts whose rows are left alone now: their cap is reached. */
	const int64_t *except;
	size_t except_count;
	struct alerts_turns *turns; /* NULL: accounts do not take turns */
};

struct alerts_leased {
	struct alert_lease *list; /* in the arena; the earliest first */
	size_t count;
	/* In how many seconds to lease again, unless alerts_on_due() calls earlier: 0: at once,
	 * more rows may be due; -1: no row waits. Rows of `except` do not count. */
	int64_t wait_s;
	int64_t now; /* of the ledger's clock */
	/* Rows that have ended in place of being leased. */
	size_t skipped;  /* too late, or without a mail server */
	size_t given_up; /* too late, after attempts */
};

/* Leases rows that are due, and rows whose lease has ended. Rows that are too late end here: they
 * become skipped, or failed if there were attempts; `most` does not limit them. Waits for the
 * database. ERR_BUSY: try again later. */
enum err alerts_lease(struct store *store, const struct alerts_want *want, struct arena *arena,
		      struct alerts_leased *leased_out);

/* Makes the rows that an earlier process has leased due at once. Does the same with rows that a
 * clock which was ahead has put off. For the start of a process that serves a folder. On PostgreSQL
 * it does nothing: other processes may hold the leases, and those of a dead process end by
 * themselves. */
enum err alerts_recover(struct store *store);

/* What a message needs. All is in the arena. */
struct alert {
	struct alert_key key;
	/* Not ALERT_NO_REASON: do not send, record ALERT_NOT_SENT with this reason. */
	enum alert_reason reason;
	struct account account;
	struct task *task;
	struct staff *staff;       /* has an e-mail address, unless `reason` is set */
	struct calendar *calendar; /* of the task */
	/* NULL: the task has none. */
	struct casefile *casefile;
	struct subject *subject;
	struct case_service *case_service;
};

/* Loads an alert as it is now; call it just before the message is sent. ERR_NOT_FOUND: the lease is
 * over, because the task has changed or the lease has ended: do not send, and record nothing. */
enum err alert_load(struct store *store, const struct alert_lease *lease, struct arena *arena,
		    struct alert *alert_out);

enum alert_outcome {
	/* The mail server has accepted the message. The first one of an alert time also sets the
	 * task's alert_sent_at: a change like any other, by docket itself. */
	ALERT_ACCEPTED,
	/* A temporary failure. It is tried again: after 60 s, then after twice as long each time,
	 * at most an hour; until ALERT_GIVEN_UP_S after the alert time. */
	ALERT_TRY_AGAIN,
	/* Nobody knows whether the mail server has accepted the message. It is tried again in the
	 * same way; the third time it has failed. */
	ALERT_UNCERTAIN,
	ALERT_REFUSED_FOR_GOOD, /* failed */
	ALERT_NOT_SENT,         /* skipped; set `reason` */
	/* Given back: nothing was tried, the attempt does not count. The row is due again in
	 * `wait_s`; `reason` may say why, such as ALERT_CAPPED. */
	ALERT_GIVEN_BACK,
};

/* Records the outcome of a lease. Set the members, then give `write` to store_write(), or to
 * store_submit() with `done`. It needs an arena and faults as every write. */
struct alert_record {
	struct store_write write;
	struct alert_lease lease;
	enum alert_outcome outcome;
	enum alert_reason reason;
	int64_t wait_s;
	/* The mail server's answer; "": none. It is made UTF-8 of one line and cut to
	 * ALERT_ANSWER_BYTES. */
	struct slice answer;

	/* Once done. False: the lease was over, and nothing was stored. What was accepted is always
	 * stored. */
	bool recorded;
	struct alert_row row; /* as it was stored */

	/* The ledger's own. */
	bool found, task_found;
	struct task *before, *task;
	int64_t now;
};

#define ALERT_ANSWER_BYTES 500

/* Also sets the scope. */
void alert_record_init(struct alert_record *record, const struct alert_lease *lease);

/* `on_due` is called after each commit of this process after which a row may be due at `at`, on the
 * thread of a writer: it must return at once. Other processes' writes are not told, so a sender
 * looks by itself now and then. Call it before the first write; NULL ends it. */
void alerts_on_due(struct store *store, void (*on_due)(void *context, int64_t at), void *context);

/* Reads rows of an account, the latest alert times first. */
struct alerts_read {
	struct store_read read;
	struct scope scope;
	int64_t task_id;        /* ID_NONE: of all tasks */
	enum alert_state state; /* ALERT_STATES: of any state */
	size_t limit;           /* at most so many rows */
	/* `on_begin` is called at the start of each run of the read, or is NULL. */
	void (*on_begin)(void *context);
	enum err (*on_row)(void *context, const struct alert_row *row);
	void *row_context;

	/* Once done. With a task_id: there is such a task, or was. */
	bool task_found;
};

#define ALERTS_READ_MAX 1000
void alerts_read_init(struct alerts_read *read, struct arena *arena);

/* Lets rows of an account wait again that failed, were skipped, or were cancelled by a command, if
 * their task still wants the message and they are not too late; or cancels the rows of a task that
 * wait. Set the scope's account and task_id; only a retry may have ID_NONE: all tasks. */
struct alerts_change {
	struct store_write write;
	int64_t task_id;

	int64_t count; /* once done: rows that were changed */

	/* The ledger's own. */
	int64_t now;
};

void alerts_retry_init(struct alerts_change *retry);
void alerts_cancel_init(struct alerts_change *cancel);

#endif
