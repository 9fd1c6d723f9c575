/* SPDX-License-Identifier: MIT */
/* One mutex guards the budget. Requests take it a few times, and only those with a body or an
 * answer above CHARGE_FREE. The shares are in a balanced tree, so that clients cannot make it slow
 * by their choice of addresses. A share exists as long as a charge refers to it. */
#include "load/load.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* While requests wait, the thread checks every LOOK_MS whether there is room. Every TRIM_MS it
 * gives freed memory back to the system, because glibc would keep it long after a burst. If there
 * is nothing to give back, that takes less than 0.1 ms. */
#define LOOK_MS 5
#define TRIM_MS 2000

TAILQ_HEAD(waiting_list, charge);

/* Counts the bytes that were given back lately: each second halves the count. */
struct given_back {
	size_t bytes;
	int64_t second;
};

struct share_key {
	int64_t account_id; /* 0: the share of a source */
	struct ip source;
};

struct share {
	struct share_key key;
	size_t held;
	size_t wanted;    /* by requests that wait */
	unsigned waiting; /* requests that wait */
	unsigned charges; /* charges that refer to it */
	struct given_back given_back;
};

struct budget {
	pthread_mutex_t lock;
	pthread_cond_t is_awaited; /* the first request waits, or the budget stops */
	pthread_t thread;
	/* Under the lock. */
	void *shares; /* a tree of tsearch(3) */
	struct waiting_list waiting;
	size_t wanted; /* by requests that wait */
	struct given_back given_back;
	struct load_counters counters;
	bool stopped;
};

static void given_back_add(struct given_back *given_back, size_t bytes)
{
	int64_t now = monotonic_ms() / 1000;
	int64_t passed = now - given_back->second;

	given_back->bytes = passed < 32 ? given_back->bytes >> passed : 0;
	given_back->bytes += bytes;
	given_back->second = now;
}

/* Returns the bytes that are given back in a second. At a steady rate r the count is r + r/2 + r/4
 * + … = 2r. */
static size_t given_back_rate(struct given_back *given_back)
{
	given_back_add(given_back, 0);
	return given_back->bytes / 2;
}

static int share_compare(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* NULL: out of memory. */
static struct share *share_refer(struct budget *budget, const struct share_key *key)
{
	struct share *share = calloc(1, sizeof(*share)), **found;

	if (!share)
		return NULL;
	share->key = *key;
	found = tsearch(share, &budget->shares, share_compare);
	if (!found || *found != share)
		free(share);
	if (!found)
		return NULL;
	(*found)->charges++;
	return *found;
}

static void share_drop(struct budget *budget, struct share *share)
{
	if (!share || --share->charges)
		return;
	tdelete(share, &budget->shares, share_compare);
	free(share);
}

static bool charge_refer(struct charge *charge)
{
	struct share_key account = {.account_id = charge->account_id};
	struct share_key source = {.source = ip_network(&charge->source)};

	if (!charge->of_account)
		charge->of_account = share_refer(charge->budget, &account);
	if (!charge->of_source)
		charge->of_source = share_refer(charge->budget, &source);
	return charge->of_account && charge->of_source;
}

static enum admission charge_decide(const struct charge *charge)
{
	const struct budget *budget = charge->budget;
	size_t limit = budget->counters.limit;
	size_t others = budget->counters.held - charge->bytes;
	size_t of_account = charge->of_account->held - charge->bytes;
	size_t of_source = charge->of_source->held - charge->bytes;

	if (of_account < SHARE_FLOOR(limit))
		return others < BUDGET_CAP(limit) ? ADMITTED : BUDGET_FULL;
	if (of_account >= SHARE_OF_ACCOUNT(limit) || of_source >= SHARE_OF_SOURCE(limit))
		return SHARE_FULL;
	return others < limit ? ADMITTED : BUDGET_FULL;
}

static size_t chargeable(size_t bytes)
{
	return bytes > CHARGE_FREE ? bytes : 0;
}

static void charge_change(struct charge *charge, size_t bytes)
{
	struct budget *budget = charge->budget;
	struct load_counters *counters = &budget->counters;

	assert(charge->of_account && charge->of_source);
	if (bytes < charge->bytes) {
		given_back_add(&budget->given_back, charge->bytes - bytes);
		given_back_add(&charge->of_account->given_back, charge->bytes - bytes);
		given_back_add(&charge->of_source->given_back, charge->bytes - bytes);
	}
	counters->charges += bytes > 0;
	counters->charges -= charge->bytes > 0;
	counters->held += bytes - charge->bytes;
	charge->of_account->held += bytes - charge->bytes;
	charge->of_source->held += bytes - charge->bytes;
	charge->bytes = bytes;
	if (counters->held > counters->held_most)
		counters->held_most = counters->held;
}

/* `last`: the charge is not admitted before those of its account that wait. */
static enum admission charge_try(struct charge *charge, size_t bytes, bool last)
{
	enum admission admission;

	if (bytes <= charge->bytes)
		admission = ADMITTED;
	else if (!charge_refer(charge))
		admission = BUDGET_FULL;
	else if (last && charge->of_account->waiting)
		admission = SHARE_FULL;
	else
		admission = charge_decide(charge);
	if (admission == ADMITTED)
		charge_change(charge, bytes);
	return admission;
}

static void waiting_add(struct charge *charge)
{
	struct budget *budget = charge->budget;

	if (TAILQ_EMPTY(&budget->waiting))
		pthread_cond_signal(&budget->is_awaited);
	TAILQ_INSERT_TAIL(&budget->waiting, charge, waiting);
	budget->wanted += charge->wanted;
	budget->counters.waiting++;
	budget->counters.waited++;
	charge->of_account->waiting++;
	charge->of_account->wanted += charge->wanted;
	charge->of_source->wanted += charge->wanted;
}

static void waiting_remove(struct charge *charge)
{
	struct budget *budget = charge->budget;

	TAILQ_REMOVE(&budget->waiting, charge, waiting);
	budget->wanted -= charge->wanted;
	budget->counters.waiting--;
	charge->of_account->waiting--;
	charge->of_account->wanted -= charge->wanted;
	charge->of_source->wanted -= charge->wanted;
}

/* Moves requests whose wait is over to `over`, the oldest first. */
static void budget_look(struct budget *budget, struct waiting_list *over)
{
	int64_t now = monotonic_ms();
	struct charge *charge, *next;

	for (charge = TAILQ_FIRST(&budget->waiting); charge; charge = next) {
		next = TAILQ_NEXT(charge, waiting);
		charge->admission = charge_decide(charge);
		if (charge->admission == ADMITTED)
			charge_change(charge, charge->wanted);
		else if (now < charge->deadline && !budget->stopped)
			continue;
		waiting_remove(charge);
		TAILQ_INSERT_TAIL(over, charge, waiting);
	}
}

/* Waits until a request waits, the budget stops, or `until_ms`. Under the lock. */
static void budget_sleep(struct budget *budget, int64_t until_ms)
{
	const struct timespec until = {.tv_sec = until_ms / 1000,
				       .tv_nsec = until_ms % 1000 * 1000000};

	while (TAILQ_EMPTY(&budget->waiting) && !budget->stopped &&
	       !pthread_cond_timedwait(&budget->is_awaited, &budget->lock, &until))
		;
}

static void *budget_loop(void *context)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
	struct budget *budget = context;
	int64_t trim_at = 0;
	bool stopped;

	do {
		struct waiting_list over = TAILQ_HEAD_INITIALIZER(over);
		struct charge *charge;

		pthread_mutex_lock(&budget->lock);
		budget_sleep(budget, trim_at);
		budget_look(budget, &over);
		stopped = budget->stopped;
		pthread_mutex_unlock(&budget->lock);
		while ((charge = TAILQ_FIRST(&over))) {
			TAILQ_REMOVE(&over, charge, waiting);
			charge->done(charge->context, charge->admission);
		}
		if (monotonic_ms() >= trim_at) {
			malloc_trim(0);
			trim_at = monotonic_ms() + TRIM_MS;
		}
		if (!stopped)
			nanosleep(&pause, NULL);
	} while (!stopped);
	return NULL;
}

enum err budget_new(size_t limit, struct budget **budget_out)
{
	struct budget *budget = calloc(1, sizeof(*budget));
	pthread_condattr_t clock;

	if (!budget)
		return ERR_NOMEM;
	budget->counters.limit = limit;
	TAILQ_INIT(&budget->waiting);
	pthread_mutex_init(&budget->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&budget->is_awaited, &clock);
	pthread_condattr_destroy(&clock);
	if (pthread_create(&budget->thread, NULL, budget_loop, budget)) {
		budget->stopped = true;
		budget_free(budget);
		return ERR_INTERNAL;
	}
	*budget_out = budget;
	return OK;
}

void budget_stop(struct budget *budget)
{
	bool stopped;

	pthread_mutex_lock(&budget->lock);
	stopped = budget->stopped;
	budget->stopped = true;
	pthread_cond_signal(&budget->is_awaited);
	pthread_mutex_unlock(&budget->lock);
	if (!stopped)
		pthread_join(budget->thread, NULL);
}

void budget_free(struct budget *budget)
{
	if (!budget)
		return;
	budget_stop(budget);
	pthread_cond_destroy(&budget->is_awaited);
	pthread_mutex_destroy(&budget->lock);
	free(budget);
}

void budget_count(struct budget *budget, struct load_counters *counters_out)
{
	pthread_mutex_lock(&budget->lock);
	*counters_out = budget->counters;
	pthread_mutex_unlock(&budget->lock);
}

void charge_init(struct charge *charge, struct budget *budget, int64_t account_id,
		 const struct ip *source)
{
	*charge = (struct charge){.budget = budget, .account_id = account_id, .source = *source};
}

enum admission charge_ask(struct charge *charge, size_t bytes)
{
	enum admission admission;

	bytes = chargeable(bytes);
	if (bytes == charge->bytes)
		return ADMITTED;
	pthread_mutex_lock(&charge->budget->lock);
	admission = charge_try(charge, bytes, false);
	pthread_mutex_unlock(&charge->budget->lock);
	return admission;
}

enum admission charge_wait(struct charge *charge, size_t bytes, unsigned ms,
			   void (*done)(void *context, enum admission admission), void *context)
{
	struct budget *budget = charge->budget;
	enum admission admission;

	bytes = chargeable(bytes);
	if (bytes == charge->bytes)
		return ADMITTED;
	pthread_mutex_lock(&budget->lock);
	admission = charge_try(charge, bytes, true);
	if (admission != ADMITTED && ms && !budget->stopped && charge->of_source) {
		charge->wanted = bytes;
		charge->deadline = monotonic_ms() + ms;
		charge->done = done;
		charge->context = context;
		waiting_add(charge);
		admission = WAITS;
	}
	pthread_mutex_unlock(&budget->lock);
	return admission;
}

void charge_set(struct charge *charge, size_t bytes)
{
	bytes = chargeable(bytes);
	if (bytes == charge->bytes)
		return;
	pthread_mutex_lock(&charge->budget->lock);
	if (charge_refer(charge))
		charge_change(charge, bytes);
	pthread_mutex_unlock(&charge->budget->lock);
}

void charge_end(struct charge *charge)
{
	struct budget *budget = charge->budget;

	if (!budget || (!charge->of_account && !charge->of_source))
		return;
	pthread_mutex_lock(&budget->lock);
	if (charge->bytes)
		charge_change(charge, 0);
	share_drop(budget, charge->of_account);
	share_drop(budget, charge->of_source);
	pthread_mutex_unlock(&budget->lock);
	charge->of_account = charge->of_source = NULL;
}

/* Seconds until `held` is at most half of `most`. `held` includes what waiting requests will
 * hold. */
static size_t seconds_until_half(size_t held, size_t most, struct given_back *given_back)
{
	size_t rate = given_back_rate(given_back);

	if (held <= most / 2)
		return 0;
	return rate ? (held - most / 2 + rate - 1) / rate : RETRY_MAX;
}

unsigned charge_refuse(const struct charge *charge, enum admission refused)
{
	struct budget *budget = charge->budget;
	struct share *account = charge->of_account, *source = charge->of_source;
	size_t limit, seconds = 1, others;

	pthread_mutex_lock(&budget->lock);
	limit = budget->counters.limit;
	budget->counters.refused_full += refused == BUDGET_FULL;
	budget->counters.refused_share += refused == SHARE_FULL;
	if (refused == BUDGET_FULL) {
		seconds = seconds_until_half(budget->counters.held + budget->wanted, limit,
					     &budget->given_back);
	} else if (account && source) {
		seconds = seconds_until_half(account->held + account->wanted,
					     SHARE_OF_ACCOUNT(limit), &account->given_back);
		others = seconds_until_half(source->held + source->wanted, SHARE_OF_SOURCE(limit),
					    &source->given_back);
		if (others > seconds)
			seconds = others;
	}
	pthread_mutex_unlock(&budget->lock);
	return seconds < 1 ? 1 : seconds > RETRY_MAX ? RETRY_MAX : (unsigned)seconds;
}
