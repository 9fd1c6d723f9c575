/* SPDX-License-Identifier: MIT */
/* The leases that this process has in hand, and the recording of what became of them. The writer
 * commits many outcomes together, so no sender waits for the database. If the database is away,
 * docket tries again: a message that was accepted and not recorded would be sent twice. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "delivery_private.h"

#define RETRY_MS 1000 /* between two tries to record outcomes once more */

static bool delivery_holds(struct delivery *delivery, const struct alert_key *key)
{
	struct held *held;

	pthread_mutex_lock(&delivery->lock);
	TAILQ_FOREACH(held, &delivery->held, kept)
	if (memcmp(&held->record.lease.key, key, sizeof(*key)) == 0)
		break;
	pthread_mutex_unlock(&delivery->lock);
	return held != NULL;
}

struct held *held_new(struct delivery *delivery, const struct alert_lease *lease)
{
	struct held *held;

	if (delivery_holds(delivery, &lease->key))
		return NULL;
	held = calloc(1, sizeof(*held));
	if (!held) {
		log_line("cannot send an alert now: out of memory");
		return NULL;
	}
	held->delivery = delivery;
	alert_record_init(&held->record, lease);
	held->record.outcome = ALERT_GIVEN_BACK;
	pthread_mutex_lock(&delivery->lock);
	TAILQ_INSERT_TAIL(&delivery->held, held, kept);
	pthread_mutex_unlock(&delivery->lock);
	return held;
}

static void held_free(struct held *held)
{
	arena_release(&held->arena);
	free(held);
}

void held_drop(struct held *held)
{
	struct delivery *delivery = held->delivery;

	pthread_mutex_lock(&delivery->lock);
	TAILQ_REMOVE(&delivery->held, held, kept);
	pthread_mutex_unlock(&delivery->lock);
	held_free(held);
}

void held_free_all(struct delivery *delivery)
{
	struct held *held;

	while ((held = TAILQ_FIRST(&delivery->held))) {
		TAILQ_REMOVE(&delivery->held, held, kept);
		held_free(held);
	}
}

/* Whether the outcome is to be recorded once more. If no message was accepted, the lease may end by
 * itself. A lease that was given back may be that of another process by now, with the same
 * number. */
static bool held_is_kept(const struct held *held, enum err err)
{
	enum alert_outcome outcome = held->record.outcome;

	if (!err || err == ERR_STOPPED || err == ERR_NOT_FOUND)
		return false;
	if (outcome == ALERT_GIVEN_BACK && err == ERR_COMMIT_UNKNOWN)
		return false;
	return outcome == ALERT_ACCEPTED || monotonic_ms() < held->until_ms;
}

/* An alert that has failed for good. */
static void held_note_failed(struct held *held)
{
	const struct alert_row *row = &held->record.row;
	struct delivery *delivery = held->delivery;

	if (!held->record.recorded || row->state != ALERT_FAILED)
		return;
	log_line("the alert of task %lld of account %lld to staff member %lld has failed: %s: %s",
		 (long long)row->key.task_id, (long long)row->key.account_id,
		 (long long)row->key.staff_id, alert_reasons[row->reason].name, held->answer);
	pthread_mutex_lock(&delivery->lock);
	delivery->counters.given_up += row->reason == ALERT_GIVEN_UP;
	pthread_mutex_unlock(&delivery->lock);
}

/* Frees the lease, or keeps it to record its outcome once more. */
static void held_end_try(struct held *held, enum err err)
{
	struct delivery *delivery = held->delivery;
	bool again = held_is_kept(held, err);

	if (!err)
		held_note_failed(held);
	else if (!again && err != ERR_NOT_FOUND)
		log_line("cannot record what became of the alert of task %lld: %s",
			 (long long)held->record.lease.key.task_id, err_text(err));
	pthread_mutex_lock(&delivery->lock);
	if (again) {
		TAILQ_INSERT_TAIL(&delivery->failed, held, queued);
	} else {
		if (!err && held->tries > 1)
			delivery->retry_ms = 0; /* the others can succeed as well */
		delivery->recording--;
		TAILQ_REMOVE(&delivery->held, held, kept);
		pthread_cond_signal(&delivery->leaser_wakes);
		pthread_cond_broadcast(&delivery->senders_wake);
	}
	pthread_mutex_unlock(&delivery->lock);
	if (!again)
		held_free(held);
}

/* On the thread of a writer. */
static void held_written(void *context)
{
	struct held *held = context;

	held_end_try(held, held->record.write.err);
}

static void held_submit(struct held *held)
{
	struct store_write *write = &held->record.write;
	enum err err;

	arena_release(&held->arena);
	faults_init(&held->faults, &held->arena);
	write->arena = &held->arena;
	write->faults = &held->faults;
	write->done = held_written;
	write->context = held;
	held->tries++;
	err = store_submit(held->delivery->config.store, write);
	if (err)
		held_end_try(held, err);
}

static void outcome_count(struct delivery_counters *counters, enum alert_outcome outcome)
{
	switch (outcome) {
	case ALERT_ACCEPTED:
		counters->accepted++;
		break;
	case ALERT_TRY_AGAIN:
		counters->try_again++;
		break;
	case ALERT_UNCERTAIN:
		counters->try_again++;
		counters->uncertain++;
		break;
	case ALERT_REFUSED_FOR_GOOD:
		counters->refused++;
		break;
	case ALERT_NOT_SENT:
		counters->skipped++;
		break;
	case ALERT_GIVEN_BACK:
		counters->given_back++;
		break;
	}
}

void held_record(struct held *held)
{
	struct delivery *delivery = held->delivery;

	pthread_mutex_lock(&delivery->lock);
	delivery->recording++;
	outcome_count(&delivery->counters, held->record.outcome);
	pthread_mutex_unlock(&delivery->lock);
	held_submit(held);
}

bool held_may_retry(const struct delivery *delivery, int64_t now_ms)
{
	return !TAILQ_EMPTY(&delivery->failed) && now_ms >= delivery->retry_ms;
}

void held_retry(struct delivery *delivery)
{
	int64_t now_ms = monotonic_ms();
	struct held *held = NULL;

	pthread_mutex_lock(&delivery->lock);
	if (held_may_retry(delivery, now_ms)) {
		held = TAILQ_FIRST(&delivery->failed);
		TAILQ_REMOVE(&delivery->failed, held, queued);
		delivery->retry_ms = now_ms + RETRY_MS;
	}
	pthread_mutex_unlock(&delivery->lock);
	if (held)
		held_submit(held);
}
