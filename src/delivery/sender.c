/* SPDX-License-Identifier: MIT */
/* Sends the messages of leased rows, one after the other. */
#include "alerts/message.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "delivery_private.h"

#define IDLE_MS 10000    /* then the connection to the mail server is closed */
#define ZONE_WAIT_S 3600 /* until a time zone that this system lacks is looked for again */
#define REST_MS 60000    /* of a sender, while the mail server serves the others */
#define PAUSE_FIRST_MS 1000
#define PAUSE_TOLD_MS 4000 /* a shorter one is not logged: a busy server refuses a connection */
#define PAUSE_MOST_MS 60000

/* The mail server is away. Only the first sender that finds out makes the pause longer. Under the
 * lock. True: it is to be logged. */
static bool delivery_pause(struct delivery *delivery, int64_t now_ms)
{
	if (now_ms < delivery->paused_ms)
		return false;
	delivery->pause_ms = delivery->pause_ms ? delivery->pause_ms * 2 : PAUSE_FIRST_MS;
	if (delivery->pause_ms > PAUSE_MOST_MS)
		delivery->pause_ms = PAUSE_MOST_MS;
	delivery->paused_ms = now_ms + delivery->pause_ms;
	delivery->counters.pauses++;
	return delivery->pause_ms == PAUSE_TOLD_MS;
}

/* Whether the mail server serves a sender. Under the lock. */
static bool delivery_works(const struct delivery *delivery)
{
	for (unsigned i = 0; i < SENDERS; i++)
		if (delivery->senders[i].works)
			return true;
	return false;
}

/* The mail server does not serve this sender. If it serves others, it takes no more connections of
 * docket, and only this sender rests. Returns for how many seconds to leave the row alone. */
static int64_t sender_pause(struct sender *sender, const char *answer)
{
	struct delivery *delivery = sender->delivery;
	int64_t now_ms = monotonic_ms(), wait_s = 0;
	bool told = false;

	pthread_mutex_lock(&delivery->lock);
	sender->works = false;
	if (delivery_works(delivery)) {
		sender->rest_ms = now_ms + REST_MS;
	} else {
		for (unsigned i = 0; i < SENDERS; i++)
			delivery->senders[i].rest_ms = 0;
		told = delivery_pause(delivery, now_ms);
		wait_s = delivery->pause_ms / 1000;
	}
	pthread_mutex_unlock(&delivery->lock);
	if (told)
		log_line("the mail server takes no mail now: %s", answer);
	return wait_s;
}

static void sender_resume(struct sender *sender)
{
	struct delivery *delivery = sender->delivery;
	bool was_away;

	pthread_mutex_lock(&delivery->lock);
	sender->works = true;
	was_away = delivery->pause_ms >= PAUSE_TOLD_MS;
	delivery->pause_ms = delivery->paused_ms = 0;
	pthread_mutex_unlock(&delivery->lock);
	if (was_away)
		log_line("the mail server takes mail again");
}

/* Whether the message may be begun; it is counted then. Else the row is to be given back. */
static bool sender_may_begin(struct sender *sender, struct held *held)
{
	struct delivery *delivery = sender->delivery;
	struct alert_record *record = &held->record;
	int64_t now_ms = monotonic_ms();
	bool may;

	pthread_mutex_lock(&delivery->lock);
	may = now_ms < held->until_ms && now_ms >= delivery->paused_ms;
	if (may && !caps_take(&delivery->caps, now_ms, record->lease.key.account_id)) {
		may = false;
		record->reason = ALERT_CAPPED;
		record->wait_s = (delivery->caps.until_ms - now_ms) / 1000 + 1;
	}
	pthread_mutex_unlock(&delivery->lock);
	return may;
}

/* The same for every attempt of a row, so that a message that arrives twice can be recognised. */
static const char *message_id(struct arena *arena, const struct alert_key *key, struct slice from)
{
	const char *at = memchr(from.ptr, '@', from.len);

	return arena_printf(arena, "alert.%lld.%lld.%lld.%lld%.*s", (long long)key->account_id,
			    (long long)key->task_id, (long long)key->staff_id,
			    (long long)key->alert_at, (int)(from.ptr + from.len - at), at);
}

static const enum alert_outcome outcome_of_mail[] = {
	[MAIL_ACCEPTED] = ALERT_ACCEPTED,
	[MAIL_TEMPORARY] = ALERT_TRY_AGAIN,
	[MAIL_PERMANENT] = ALERT_REFUSED_FOR_GOOD,
	[MAIL_UNKNOWN] = ALERT_UNCERTAIN,
};

static void sender_send(struct sender *sender, const struct mail *mail, struct held *held)
{
	struct alert_record *record = &held->record;
	struct mail_answer answer;

	mail_send(sender->session, mail, &answer);
	record->outcome = outcome_of_mail[answer.outcome];
	snprintf(held->answer, sizeof(held->answer), "%s", answer.text);
	record->answer = slice_of(held->answer);
	if (!answer.unavailable)
		sender_resume(sender);
	else
		record->wait_s = sender_pause(sender, answer.text);
	if (answer.unavailable && !answer.begun) {
		record->outcome = ALERT_GIVEN_BACK;
		record->reason = ALERT_RETRY;
	}
}

static void sender_send_alert(struct sender *sender, const struct alert *alert,
			      const struct alert_message *message, struct held *held)
{
	const struct delivery_config *config = &sender->delivery->config;
	const struct mail_header more[] = {{"X-Docket-Task", slice_of(message->task_id)}};
	const char *id = message_id(&held->arena, &alert->key, config->from);
	char to[MAIL_ADDRESS_BYTES] = "";
	bool has_address = mail_address(alert->staff->email, to);
	const struct mail mail = {
		.from = config->from,
		.to = slice_of(to),
		.to_name = slice_of(message->to_name),
		.subject = slice_of(message->subject),
		.text = slice_of(message->text),
		.html = slice_of(message->html),
		.id = slice_of(id),
		.date = clock_now(&system_clock),
		.more = more,
		.more_count = COUNT_OF(more),
	};

	if (!has_address) {
		held->record.outcome = ALERT_NOT_SENT;
		held->record.reason = ALERT_BAD_ADDRESS;
	} else if (!id) {
		held->record.wait_s = 1;
	} else if (sender_may_begin(sender, held)) {
		sender_send(sender, &mail, held);
	}
}

/* Builds the message and sends it. Sets the outcome. */
static void sender_write(struct sender *sender, const struct alert *alert, struct held *held)
{
	const struct delivery_config *config = &sender->delivery->config;
	struct alert_record *record = &held->record;
	struct alert_message message;
	enum err err = alert_message_build(alert, config->base_url, config->with_account,
					   &held->arena, &message);

	if (!err) {
		sender_send_alert(sender, alert, &message, held);
	} else if (err == ERR_NOT_FOUND) {
		record->reason = ALERT_ZONE_MISSING;
		record->wait_s = ZONE_WAIT_S;
	} else {
		record->wait_s = 1;
	}
}

/* Loads the alert as it is now, and sends it. */
static void sender_deliver(struct sender *sender, struct held *held)
{
	struct alert_record *record = &held->record;
	struct alert alert;
	enum err err =
		alert_load(sender->delivery->config.store, &record->lease, &held->arena, &alert);

	if (err == ERR_NOT_FOUND) { /* the lease is over */
		held_drop(held);
		return;
	}
	if (err) {
		record->wait_s = 1;
	} else if (alert.reason) {
		record->outcome = ALERT_NOT_SENT;
		record->reason = alert.reason;
	} else {
		sender_write(sender, &alert, held);
	}
	held_record(held);
}

/* Whether a sender must wait: for a row, until outcomes are recorded, or because it rests. Under
 * the lock. */
static bool sender_must_wait(const struct sender *sender)
{
	const struct delivery *delivery = sender->delivery;

	return !delivery->draining &&
	       (TAILQ_EMPTY(&delivery->rows) || delivery->recording >= UNRECORDED_MOST ||
		monotonic_ms() < sender->rest_ms);
}

/* Waits for a row, under the lock. NULL: the delivery drains. While nothing comes, the connection
 * to the mail server is closed. */
static struct held *sender_wait(struct sender *sender)
{
	struct delivery *delivery = sender->delivery;
	int64_t until_ms = monotonic_ms() + IDLE_MS;

	while (sender_must_wait(sender)) {
		struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

		if (!pthread_cond_timedwait(&delivery->senders_wake, &delivery->lock, &until))
			continue;
		sender->works = false;
		pthread_mutex_unlock(&delivery->lock);
		mail_session_rest(sender->session);
		pthread_mutex_lock(&delivery->lock);
		until_ms = monotonic_ms() + IDLE_MS;
	}
	return delivery->draining ? NULL : TAILQ_FIRST(&delivery->rows);
}

void *sender_run(void *context)
{
	struct sender *sender = context;
	struct delivery *delivery = sender->delivery;
	struct held *held;

	pthread_mutex_lock(&delivery->lock);
	while ((held = sender_wait(sender))) {
		TAILQ_REMOVE(&delivery->rows, held, queued);
		delivery->row_count--;
		delivery->sending++;
		pthread_mutex_unlock(&delivery->lock);
		sender_deliver(sender, held);
		pthread_mutex_lock(&delivery->lock);
		delivery->sending--;
		pthread_cond_signal(&delivery->leaser_wakes);
	}
	pthread_mutex_unlock(&delivery->lock);
	return NULL;
}
