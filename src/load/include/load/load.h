/* SPDX-License-Identifier: MIT */
/* The budget: limits how many bytes the requests in progress hold, in bodies, parsed bodies,
 * decoded writes and answers. If there is no room for a request, it is refused. Each account and
 * each source (an IPv4 address or an IPv6 network) has a share, so that none can take the room of
 * all others.
 *
 *	struct charge charge;
 *
 *	charge_init(&charge, budget, account_id, &source);
 *	admission = charge_ask(&charge, body_length);
 *	if (admission != ADMITTED)
 *		return refuse(charge_refuse(&charge, admission));
 *	...
 *	charge_end(&charge);
 *
 * Any thread may call these functions; a charge is used by one thread at a time. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/ip.h"

/* Bytes. A request that holds no more is not charged and takes no lock. */
#define CHARGE_FREE 4096

/* Parts of the limit. An account that holds less than the floor is admitted even if the budget is
 * full; such accounts together may take a quarter more than the limit. */
#define SHARE_OF_ACCOUNT(limit) ((limit) / 4)
#define SHARE_OF_SOURCE(limit) ((limit) / 2)
#define SHARE_FLOOR(limit) ((limit) / 64)
#define BUDGET_CAP(limit) ((limit) + (limit) / 4)

struct budget;
struct share;

enum admission {
	ADMITTED,
	BUDGET_FULL, /* all requests together hold too much */
	SHARE_FULL,  /* those of the same account or source hold too much */
	WAITS,       /* not decided yet */
};

/* What one request holds. */
struct charge {
	struct budget *budget;
	int64_t account_id;
	struct ip source;
	size_t bytes;

	/* The budget's own. */
	struct share *of_account, *of_source; /* NULL: charge_ask() was not called yet */
	size_t wanted;                        /* while it waits: the bytes it waits for */
	int64_t deadline;
	enum admission admission;
	void (*done)(void *context, enum admission admission);
	void *context;
	TAILQ_ENTRY(charge) waiting;
};

/* `held`, `charges` and `waiting` are the present values. The others count since the start. */
struct load_counters {
	size_t limit;
	size_t held, held_most;
	size_t charges;         /* requests that hold something */
	size_t waiting;         /* requests that wait for room */
	uint64_t waited;        /* requests that have waited */
	uint64_t refused_full;  /* by BUDGET_FULL */
	uint64_t refused_share; /* by SHARE_FULL */
};

/* Makes a budget and starts the thread for requests that wait. ERR_NOMEM, ERR_INTERNAL. */
enum err budget_new(size_t limit, struct budget **budget_out);
/* Refuses all requests that wait, and ends the thread. From now on no request can wait. */
void budget_stop(struct budget *budget);
/* Stops the budget and frees it. Every charge must have ended. NULL is accepted. */
void budget_free(struct budget *budget);

void budget_count(struct budget *budget, struct load_counters *counters_out);

/* `account_id` must be at least 1. */
void charge_init(struct charge *charge, struct budget *budget, int64_t account_id,
		 const struct ip *source);

/* Changes the charge to `bytes`. Fewer bytes are always admitted; more, if there is room beside
 * what others hold. A single charge may be larger than the share. Never returns WAITS. */
enum admission charge_ask(struct charge *charge, size_t bytes);

/* The same for a charge that holds nothing yet. It is not admitted before charges of the same
 * account that wait already. If there is no room now and `ms` is not 0, the charge waits for room,
 * for at most `ms` milliseconds. Then charge_wait() returns WAITS, and done() gets the result on
 * the budget's thread. done() must not block. */
enum admission charge_wait(struct charge *charge, size_t bytes, unsigned ms,
			   void (*done)(void *context, enum admission admission), void *context);

/* Changes the charge to `bytes` even if there is no room, for what must be held. */
void charge_set(struct charge *charge, size_t bytes);

/* Gives everything back. The charge can then be used again. A zeroed charge is accepted. */
void charge_end(struct charge *charge);

/* Counts a refused request. Estimates from the bytes that were given back lately when the budget or
 * the share will be half empty. Returns the seconds until then, from 1 to RETRY_MAX. */
unsigned charge_refuse(const struct charge *charge, enum admission refused);
#define RETRY_MAX 30

#endif
