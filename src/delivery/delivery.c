/* SPDX-License-Identifier: MIT */
/* Starts and ends the threads, and leases rows when they are due. The thread that leases sleeps
 * until the next row is due. It wakes once a second, but only to see whether somebody has set the
 * system's clock: it does not ask the database then. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "delivery_private.h"

#define TICK_MS 1000
/* Other processes' writes are not told, so the leaser looks by itself. */
#define LOOK_MS 5000
#define BUSY_MS 1000 /* after an error of the database */
/* How long a message in progress may take, and its record, when the process ends. */
#define GRACE_MS 3000
#define RECORD_MS 3000
#define LEASE_SPARE_S 15 /* longer than a message takes, a row may wait in the queue */

/* By alerts_on_due(), on the thread of a writer. `at` is of the ledger's clock. */
static void delivery_on_due(void *context, int64_t at)
{
	struct delivery *delivery = context;

	pthread_mutex_lock(&delivery->lock);
	at -= delivery->ledger_ahead_s;
	if (at < delivery->told_at)
		delivery->told_at = at;
	if (at < delivery->due_at) {
		delivery->due_at = at;
		pthread_cond_signal(&delivery->leaser_wakes);
	}
	pthread_mutex_unlock(&delivery->lock);
}

static bool has_mail(const struct delivery *delivery)
{
	return delivery->config.mail.url != NULL;
}

/* How many rows may be leased now. Under the lock. */
static size_t delivery_room(struct delivery *delivery, int64_t now_ms)
{
	size_t queued = delivery->row_count, room = QUEUE_MOST - queued, left;

	if (!has_mail(delivery))
		return QUEUE_MOST;
	if (now_ms < delivery->paused_ms || room < QUEUE_MOST / 2)
		return 0;
	if (delivery->pause_ms) /* try whether it is still away, with one message */
		room = queued || delivery->sending ? 0 : 1;
	left = caps_left(&delivery->caps, now_ms, queued + room);
	return left > queued ? left - queued : 0;
}

/* How many rows to lease now. Under the lock. */
static size_t delivery_wants(struct delivery *delivery, int64_t now_ms)
{
	if (clock_now(&system_clock) < delivery->due_at && now_ms < delivery->look_ms)
		return 0;
	return delivery_room(delivery, now_ms);
}

/* Until when to sleep, unless something changes. Under the lock. */
static int64_t delivery_wakes_ms(const struct delivery *delivery, int64_t now_ms)
{
	int64_t left_ms = TICK_MS;

	if (delivery->due_at < TIME_MAX / 1000)
		left_ms = delivery->due_at * 1000 - system_ms();
	if (left_ms <= 0 || left_ms > TICK_MS)
		left_ms = TICK_MS; /* due, but there is no room: a sender signals when there is */
	return now_ms + left_ms;
}

/* Puts leased rows into the queue. */
static void delivery_take_rows(struct delivery *delivery, const struct alerts_leased *leased,
			       int64_t leased_ms)
{
	for (size_t i = 0; i < leased->count; i++) {
		struct held *held = held_new(delivery, &leased->list[i]);

		if (!held)
			continue;
		held->until_ms = leased_ms + (int64_t)1000 * LEASE_SPARE_S +
				 (int64_t)1000 * delivery->config.mail.timeout_s;
		pthread_mutex_lock(&delivery->lock);
		TAILQ_INSERT_TAIL(&delivery->rows, held, queued);
		delivery->row_count++;
		pthread_cond_broadcast(&delivery->senders_wake);
		pthread_mutex_unlock(&delivery->lock);
	}
}

/* When to lease again. */
static void delivery_plan(struct delivery *delivery, enum err err,
			  const struct alerts_leased *leased)
{
	int64_t now_ms = monotonic_ms(), now = clock_now(&system_clock);

	pthread_mutex_lock(&delivery->lock);
	delivery->look_ms = now_ms + (err ? BUSY_MS : LOOK_MS);
	if (!err) {
		delivery->ledger_ahead_s = leased->now - now;
		delivery->due_at = leased->wait_s < 0 ? TIME_MAX : now + leased->wait_s;
		if (delivery->told_at < delivery->due_at)
			delivery->due_at = delivery->told_at;
		if (delivery->caps.full_count && delivery->caps.until_ms < delivery->look_ms)
			delivery->look_ms = delivery->caps.until_ms;
	} else {
		delivery->due_at = TIME_MAX;
	}
	pthread_mutex_unlock(&delivery->lock);
}

/* Rows that have ended without a message. */
static void delivery_note_ended(struct delivery *delivery, const struct alerts_leased *leased)
{
	if (!leased->skipped && !leased->given_up)
		return;
	log_line("alerts without a message: %zu skipped, %zu given up after a day of attempts: "
		 "\"docket alerts list\" shows them",
		 leased->skipped, leased->given_up);
	pthread_mutex_lock(&delivery->lock);
	delivery->counters.skipped += leased->skipped;
	delivery->counters.given_up += leased->given_up;
	pthread_mutex_unlock(&delivery->lock);
}

/* Leases rows that are due. */
static void delivery_lease(struct delivery *delivery, size_t most)
{
	struct arena arena = {0};
	struct alerts_want want = {.most = most,
				   .seconds = (int)delivery->lease_s,
				   .mail = has_mail(delivery),
				   .turns = &delivery->turns};
	struct alerts_leased leased = {0};
	int64_t leased_ms = monotonic_ms(), *except = NULL;
	size_t full;
	enum err err;

	pthread_mutex_lock(&delivery->lock);
	delivery->told_at = TIME_MAX;
	full = delivery->caps.full_count;
	if (full)
		want.except = except = arena_alloc(&arena, full * sizeof(*except));
	if (except) {
		memcpy(except, delivery->caps.full, full * sizeof(*except));
		want.except_count = full;
	}
	pthread_mutex_unlock(&delivery->lock);
	err = alerts_lease(delivery->config.store, &want, &arena, &leased);
	if (!err) {
		delivery_note_ended(delivery, &leased);
		delivery_take_rows(delivery, &leased, leased_ms);
	}
	delivery_plan(delivery, err, &leased);
	arena_release(&arena);
}

/* One turn: leases, or sleeps. */
static void leaser_turn(struct delivery *delivery)
{
	int64_t now_ms = monotonic_ms(), wake_ms;
	struct timespec until;
	size_t most;

	pthread_mutex_lock(&delivery->lock);
	most = delivery_wants(delivery, now_ms);
	if (!most && !delivery->draining && !held_may_retry(delivery, now_ms)) {
		wake_ms = delivery_wakes_ms(delivery, now_ms);
		until = (struct timespec){wake_ms / 1000, wake_ms % 1000 * 1000000};
		pthread_cond_timedwait(&delivery->leaser_wakes, &delivery->lock, &until);
	}
	if (delivery->draining)
		most = 0;
	pthread_mutex_unlock(&delivery->lock);
	held_retry(delivery);
	if (most)
		delivery_lease(delivery, most);
}

static void delivery_give_all_back(struct delivery *delivery)
{
	struct held *held;

	for (;;) {
		pthread_mutex_lock(&delivery->lock);
		held = TAILQ_FIRST(&delivery->rows);
		if (held) {
			TAILQ_REMOVE(&delivery->rows, held, queued);
			delivery->row_count--;
		}
		pthread_mutex_unlock(&delivery->lock);
		if (!held)
			return;
		held_record(held);
	}
}

/* Waits until a number is 0, but at most that long. */
static void delivery_wait_for_none(struct delivery *delivery, const size_t *number, int64_t most_ms)
{
	int64_t until_ms = monotonic_ms() + most_ms, wake_ms;
	struct timespec until;
	bool none;

	do {
		held_retry(delivery);
		pthread_mutex_lock(&delivery->lock);
		wake_ms = monotonic_ms() + TICK_MS;
		wake_ms = wake_ms < until_ms ? wake_ms : until_ms;
		until = (struct timespec){wake_ms / 1000, wake_ms % 1000 * 1000000};
		if (*number && !held_may_retry(delivery, monotonic_ms()))
			pthread_cond_timedwait(&delivery->leaser_wakes, &delivery->lock, &until);
		none = !*number;
		pthread_mutex_unlock(&delivery->lock);
	} while (!none && monotonic_ms() < until_ms);
}

static void *leaser_run(void *context)
{
	struct delivery *delivery = context;
	bool draining = false;

	while (!draining) {
		leaser_turn(delivery);
		pthread_mutex_lock(&delivery->lock);
		draining = delivery->draining;
		pthread_mutex_unlock(&delivery->lock);
	}
	delivery_give_all_back(delivery);
	delivery_wait_for_none(delivery, &delivery->sending, GRACE_MS);
	for (unsigned i = 0; i < delivery->sender_count; i++)
		mail_session_stop(delivery->senders[i].session);
	return NULL;
}

static struct delivery *delivery_new(const struct delivery_config *config)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	pthread_condattr_t monotonic;

	if (!delivery || mail_begin()) {
		free(delivery);
		return NULL;
	}
	delivery->config = *config;
	delivery->lease_s = 2 * config->mail.timeout_s + LEASE_SPARE_S + LEASE_MARGIN_S;
	delivery->caps.per_minute = config->per_minute;
	delivery->caps.per_account = config->per_account;
	delivery->told_at = TIME_MAX;
	TAILQ_INIT(&delivery->held);
	TAILQ_INIT(&delivery->rows);
	TAILQ_INIT(&delivery->failed);
	pthread_mutex_init(&delivery->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&delivery->leaser_wakes, &monotonic);
	pthread_cond_init(&delivery->senders_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return delivery;
}

void delivery_free(struct delivery *delivery)
{
	if (!delivery)
		return;
	held_free_all(delivery);
	for (unsigned i = 0; i < SENDERS; i++)
		mail_session_free(delivery->senders[i].session);
	pthread_cond_destroy(&delivery->leaser_wakes);
	pthread_cond_destroy(&delivery->senders_wake);
	pthread_mutex_destroy(&delivery->lock);
	caps_release(&delivery->caps);
	buf_release(&delivery->turns.served);
	mail_end();
	free(delivery);
}

/* Joins the threads that have started. */
static void delivery_join(struct delivery *delivery, bool leaser)
{
	if (leaser)
		pthread_join(delivery->leaser, NULL);
	for (unsigned i = 0; i < delivery->sender_count; i++)
		pthread_join(delivery->senders[i].thread, NULL);
}

static bool senders_start(struct delivery *delivery)
{
	for (unsigned i = 0; has_mail(delivery) && i < SENDERS; i++) {
		struct sender *sender = &delivery->senders[i];

		sender->delivery = delivery;
		sender->session = mail_session_new(&delivery->config.mail);
		if (!sender->session || pthread_create(&sender->thread, NULL, sender_run, sender))
			return false;
		delivery->sender_count++;
	}
	return true;
}

enum err delivery_start(const struct delivery_config *config, struct delivery **delivery_out)
{
	struct delivery *delivery = delivery_new(config);
	enum err err = delivery ? alerts_recover(config->store) : ERR_NOMEM;

	if (err)
		log_line("cannot begin to send alerts: %s", err_text(err));
	if (!err) {
		alerts_on_due(config->store, delivery_on_due, delivery);
		if (!senders_start(delivery) ||
		    pthread_create(&delivery->leaser, NULL, leaser_run, delivery)) {
			log_line("cannot begin to send alerts: no thread can be made");
			err = ERR_NOMEM;
			delivery_drain(delivery);
			delivery_join(delivery, false);
			alerts_on_due(config->store, NULL, NULL);
		}
	}
	if (!err)
		*delivery_out = delivery;
	else
		delivery_free(delivery);
	return err;
}

void delivery_drain(struct delivery *delivery)
{
	if (!delivery)
		return;
	pthread_mutex_lock(&delivery->lock);
	delivery->draining = true;
	pthread_cond_broadcast(&delivery->leaser_wakes);
	pthread_cond_broadcast(&delivery->senders_wake);
	pthread_mutex_unlock(&delivery->lock);
}

void delivery_end(struct delivery *delivery)
{
	size_t lost;

	if (!delivery)
		return;
	delivery_drain(delivery);
	delivery_join(delivery, true);
	delivery_wait_for_none(delivery, &delivery->recording, RECORD_MS);
	pthread_mutex_lock(&delivery->lock);
	lost = delivery->recording;
	pthread_mutex_unlock(&delivery->lock);
	if (lost)
		log_line("what became of %zu alerts is not recorded: they may be sent again", lost);
}

void delivery_count(struct delivery *delivery, struct delivery_counters *counters_out)
{
	pthread_mutex_lock(&delivery->lock);
	*counters_out = delivery->counters;
	counters_out->queued = delivery->row_count;
	counters_out->sending = delivery->sending;
	counters_out->paused = monotonic_ms() < delivery->paused_ms;
	pthread_mutex_unlock(&delivery->lock);
}
