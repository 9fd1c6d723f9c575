/* SPDX-License-Identifier: MIT */
/* Sends the alerts that are due, as long as docket serves. One thread leases rows of the ledger
 * when they are due. A few threads, each with a connection to the mail server, send the messages
 * and record what became of them.
 *
 *	const struct delivery_config config = {.store = store, .mail = &mail, .from = from};
 *	struct delivery *delivery;
 *
 *	err = delivery_start(&config, &delivery);
 *	wait_for_a_signal();
 *	delivery_drain(delivery);
 *	drain_all_else();
 *	delivery_end(delivery);
 *	store_stop(store);
 *	delivery_free(delivery); */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include "alerts/alerts.h"
#include "mail/mail.h"

struct delivery;

/* What it points at must outlive the delivery. */
struct delivery_config {
	struct store *store;
	/* `url` NULL: there is no mail server, and what falls due is skipped. */
	struct mail_config mail;
	struct slice from; /* the address that messages come from */
	/* For links to tasks, as alert_message_build() takes them. */
	struct slice base_url;
	bool with_account;
	/* How many messages may be sent in a minute, in all and for one account; 0: no limit. */
	unsigned per_minute, per_account;
};

/* Starts the threads. Call it before anything else writes to the store. An error is logged. */
enum err delivery_start(const struct delivery_config *config, struct delivery **delivery_out);

/* Begins to end, and returns at once. No message is begun any more, and leases are given back. A
 * message in progress has a few seconds. NULL is accepted. */
void delivery_drain(struct delivery *delivery);

/* Ends the threads; before store_stop(), because outcomes must be recorded. NULL is accepted. */
void delivery_end(struct delivery *delivery);

/* After store_stop(): until then a writer may call the delivery. NULL is accepted. */
void delivery_free(struct delivery *delivery);

/* Since the start. */
struct delivery_counters {
	uint64_t accepted, try_again, refused; /* messages, by their outcome */
	uint64_t uncertain;                    /* of `try_again`: perhaps they were sent */
	uint64_t skipped, given_back;          /* rows for which none was sent */
	uint64_t given_up;                     /* rows that ended after a day of attempts */
	uint64_t queued, sending;              /* of now */
	uint64_t pauses; /* how often the mail server was left alone, because it was away */
	bool paused;     /* it is left alone now */
};

void delivery_count(struct delivery *delivery, struct delivery_counters *counters_out);

#endif
