/* SPDX-License-Identifier: MIT */
/* What the threads of the delivery share. */
#ifndef DELIVERY_DELIVERY_PRIVATE_H
#define DELIVERY_DELIVERY_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "caps.h"
#include "delivery/delivery.h"

#define SENDERS 4
#define QUEUE_MOST 32 /* leased rows that wait for a sender */
/* Outcomes that are not recorded yet: then no message is begun. If the process is killed, so many
 * messages, and one of each sender, are sent again. */
#define UNRECORDED_MOST 16
#define LEASE_MARGIN_S 15 /* to load an alert before its message, and to record its outcome */

/* A lease in hand: from when the row is leased until its outcome is recorded. Meanwhile the row is
 * not taken again, though its lease may have ended. */
struct held {
	struct delivery *delivery;
	/* The lease, and what became of it: ALERT_GIVEN_BACK until the message is sent. */
	struct alert_record record;
	char answer[MAIL_ANSWER_BYTES];
	int64_t until_ms; /* by monotonic_ms(): too late to begin the message */
	unsigned tries;
	struct arena arena; /* of the alert, then of each try to record the outcome */
	struct faults faults;
	TAILQ_ENTRY(held) kept, queued;
};
TAILQ_HEAD(held_list, held);

struct sender {
	struct delivery *delivery;
	struct mail_session *session;
	pthread_t thread;
	/* Under the lock of the delivery. */
	bool works;      /* the mail server served it last, and it has not been idle since */
	int64_t rest_ms; /* until then it takes no row; by monotonic_ms() */
};

struct delivery {
	struct delivery_config config;
	unsigned lease_s;
	pthread_t leaser;
	struct sender senders[SENDERS];
	unsigned sender_count;
	pthread_mutex_t lock;
	pthread_cond_t leaser_wakes, senders_wake;
	/* Under the lock. */
	struct held_list held; /* all of them, by `kept` */
	struct held_list rows; /* those that wait for a sender, by `queued` */
	size_t row_count, sending;
	struct held_list failed; /* whose outcome is to be recorded once more, by `queued` */
	size_t recording;        /* whose outcome is not recorded yet, with `failed` */
	/* When rows are due, by the system's clock, which the ledger's may differ from. */
	int64_t due_at;  /* TIME_MAX: no row waits */
	int64_t told_at; /* what alerts_on_due() has told since the last lease began; TIME_MAX */
	int64_t ledger_ahead_s;
	int64_t retry_ms;  /* until then no outcome is recorded once more; by monotonic_ms() */
	int64_t look_ms;   /* look then, whatever is known; by monotonic_ms() */
	int64_t paused_ms; /* until then the mail server is left alone; by monotonic_ms() */
	int64_t pause_ms;  /* how long; 0: it is not away */
	bool draining;
	struct caps caps;
	struct alerts_turns turns; /* only for the thread that leases */
	struct delivery_counters counters;
};

/* The thread of a sender: runs until the delivery drains. */
void *sender_run(void *sender);

/* These functions may not be called under the lock, but for held_may_retry(). */

/* Takes a lease in hand. NULL: the row is in hand already, or memory ran out. The lease then ends
 * by itself. */
struct held *held_new(struct delivery *delivery, const struct alert_lease *lease);

/* Forgets a lease that is over. */
void held_drop(struct held *held);

/* Records the outcome, and frees the lease. Tries again if the database is away. */
void held_record(struct held *held);

/* Whether to call held_retry(). Under the lock. */
bool held_may_retry(const struct delivery *delivery, int64_t now_ms);

/* Records one of the outcomes that failed once more, if it is time. If that succeeds, it is time
 * for the next one. */
void held_retry(struct delivery *delivery);

/* Frees all leases, when nobody uses them any more. */
void held_free_all(struct delivery *delivery);

#endif
