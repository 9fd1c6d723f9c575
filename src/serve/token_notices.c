/* SPDX-License-Identifier: MIT */
/* The thread that tells about tokens before they expire. If the mail server takes no message, it
 * tries again an hour later, as long as the token works. If it takes the messages to some only,
 * this process knows to whom, and claims the notice for longer. So another process tells all of
 * them again only after this one has ended. */
#include "token_notices.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "accounts/token_notice.h"
#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "mail/mail.h"
#include "serve_private.h"

#define LOOK_S 10   /* how often it looks for tokens */
#define MINUTE_S 60 /* the same with --mail-per-minute */
#define RETRY_S 3600
#define HOST_BYTES 256

struct token_notices {
	struct store *store;
	struct arena arena; /* for the settings */
	struct mail_config mail;
	struct slice from;
	int64_t per_minute;           /* messages; 0: no limit */
	struct mail_session *session; /* NULL: there is no mail server */
	int64_t logged_at;            /* without one: the tokens of that time are in the log */
	struct telling *waiting;      /* to be told again */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under the lock */
};

/* What is told about one token. */
struct telling {
	struct telling *next;      /* that waits */
	int64_t retry_at;          /* while it waits */
	struct ending_token token; /* while it waits without the texts */
	struct buf subject, text;
	struct buf recipients; /* of struct recipient */
};

static void telling_free(struct telling *telling)
{
	buf_release(&telling->subject);
	buf_release(&telling->text);
	buf_release(&telling->recipients);
	free(telling);
}

static bool notices_end(struct token_notices *notices)
{
	bool stop;

	pthread_mutex_lock(&notices->lock);
	stop = notices->stop;
	pthread_mutex_unlock(&notices->lock);
	return stop;
}

static void telling_write(struct telling *telling)
{
	const struct ending_token *token = &telling->token;
	char host[HOST_BYTES] = "", expires[TIMESTAMP_LEN + 1] = "";

	timestamp_write(token->expires_at, expires);
	(void)gethostname(host, sizeof(host) - 1);
	buf_printf(&telling->subject, "docket: the API token \"%.*s\" expires at %s",
		   (int)token->label.len, token->label.ptr, expires);
	buf_printf(&telling->text,
		   "The API token \"%.*s\" of the account \"%.*s\" expires at %s.\n"
		   "After that, docket refuses the requests of programs that use it.\n\n"
		   "\"docket token rotate\" makes a new token in its place.\n\n"
		   "This message is from docket on the machine %s.\n",
		   (int)token->label.len, token->label.ptr, (int)token->account.len,
		   token->account.ptr, expires, host);
}

/* Returns false if the mail server takes no message now. */
static bool telling_send(struct token_notices *notices, struct telling *telling,
			 struct recipient *recipient, size_t number)
{
	const char *at = memchr(notices->from.ptr, '@', notices->from.len);
	char id[MAIL_ADDRESS_BYTES + 128];
	struct mail_answer answer;
	const struct mail mail = {
		.from = notices->from,
		.to = slice_of(recipient->address),
		.subject = buf_slice(&telling->subject),
		.text = buf_slice(&telling->text),
		.id = {id, (size_t)snprintf(id, sizeof(id), "token.%lld.%zu.%ld%s",
					    (long long)system_ms(), number, (long)getpid(), at)},
		.date = clock_now(&system_clock),
	};

	mail_send(notices->session, &mail, &answer);
	recipient->done = answer.outcome != MAIL_TEMPORARY;
	if (answer.outcome == MAIL_TEMPORARY || answer.outcome == MAIL_PERMANENT)
		log_line("cannot send a message about an API token to %s: %s", recipient->address,
			 answer.text);
	return !answer.unavailable;
}

static void token_log(const struct ending_token *token)
{
	char expires[TIMESTAMP_LEN];

	timestamp_write(token->expires_at, expires);
	log_line("the API token \"%.*s\" of the account \"%.*s\" expires at %.*s",
		 (int)token->label.len, token->label.ptr, (int)token->account.len,
		 token->account.ptr, TIMESTAMP_LEN, expires);
}

static struct telling *telling_new(struct token_notices *notices, const struct ending_token *token)
{
	struct telling *telling = calloc(1, sizeof(*telling));

	if (!telling)
		return NULL;
	telling->token = *token;
	telling_write(telling);
	if (!telling->subject.failed && !telling->text.failed &&
	    !store_account_addresses(notices->store, token->account_id, recipient_add,
				     &telling->recipients))
		return telling;
	telling_free(telling);
	return NULL;
}

static void telling_wait(struct token_notices *notices, struct telling *telling, int64_t retry_at)
{
	telling->retry_at = retry_at;
	telling->next = notices->waiting;
	notices->waiting = telling;
}

/* Sends to those who do not have the message yet. What is left is told again, as long as some have
 * it: else another process can do that too. Returns how many messages were sent. */
static size_t telling_run(struct token_notices *notices, struct telling *telling, int64_t now)
{
	struct recipient *recipients = (struct recipient *)(void *)telling->recipients.ptr;
	size_t count = telling->recipients.len / sizeof(*recipients), left = 0, sent = 0;
	bool goes_on = true, claimed;

	for (size_t i = 0; i < count; i++) {
		if (!recipients[i].done && goes_on) {
			goes_on = telling_send(notices, telling, &recipients[i], i);
			sent++;
		}
		left += !recipients[i].done;
	}
	mail_session_rest(notices->session);
	if (left < count || !left)
		(void)token_notice_claim(notices->store, &telling->token,
					 left ? now + 2 * RETRY_S : telling->token.expires_at,
					 &claimed);
	if (!left || left == count) {
		telling_free(telling);
		return sent;
	}
	telling_wait(notices, telling, now + RETRY_S);
	return sent;
}

/* Tells about one token, unless another process does. Returns how many messages were sent. */
static size_t token_take(struct token_notices *notices, struct ending_token *token, int64_t now)
{
	struct telling *telling;
	bool claimed = false;

	if (token_notice_claim(notices->store, token, now + RETRY_S, &claimed) || !claimed)
		return 0;
	token_log(token);
	telling = telling_new(notices, token);
	return telling ? telling_run(notices, telling, now) : 0;
}

/* Tells again about a token that waits, unless it is gone. */
static size_t token_tell_again(struct token_notices *notices, struct telling *telling, int64_t now)
{
	bool claimed = false;
	enum err err = OK;

	if (now < telling->token.expires_at)
		err = token_notice_claim(notices->store, &telling->token, now + 2 * RETRY_S,
					 &claimed);
	if (claimed && !err)
		return telling_run(notices, telling, now);
	if (err)
		telling_wait(notices, telling, now + LOOK_S);
	else
		telling_free(telling);
	return 0;
}

/* Tells again about those that are due. Returns how many messages were sent. */
static int64_t tokens_tell_again(struct token_notices *notices, int64_t now)
{
	struct telling **at = &notices->waiting;
	int64_t sent = 0;

	while (*at && !notices_end(notices) &&
	       (!notices->per_minute || sent < notices->per_minute)) {
		struct telling *telling = *at;

		if (now < telling->retry_at) {
			at = &telling->next;
			continue;
		}
		*at = telling->next;
		sent += (int64_t)token_tell_again(notices, telling, now);
	}
	return sent;
}

/* Without a mail server: logs each token once, and leaves the notice to a process that has one. */
static void tokens_log(struct token_notices *notices)
{
	int64_t now = clock_now(&system_clock), since = now - TOKEN_SOON_S;
	struct ending_token tokens[ENDING_TOKENS];
	size_t count, skip = 0;
	enum err err;

	if (notices->logged_at > since)
		since = notices->logged_at;
	do {
		struct arena arena = {0};

		count = 0;
		err = store_ending_tokens(notices->store, &arena, now, since, skip, tokens, &count);
		for (size_t i = 0; !err && i < count; i++)
			token_log(&tokens[i]);
		skip += count;
		arena_release(&arena);
	} while (!err && count == ENDING_TOKENS && !notices_end(notices));
	if (!err)
		notices->logged_at = now;
}

static void tokens_look(struct token_notices *notices)
{
	struct ending_token tokens[ENDING_TOKENS];
	int64_t now = clock_now(&system_clock), sent = tokens_tell_again(notices, now);
	struct arena arena = {0};
	size_t count = 0;

	/* An error is that of a database that is away, which others log. */
	if (store_ending_tokens(notices->store, &arena, now, now - TOKEN_SOON_S, 0, tokens, &count))
		count = 0;
	for (size_t i = 0; i < count && !notices_end(notices); i++)
		if (!notices->per_minute || sent < notices->per_minute)
			sent += (int64_t)token_take(notices, &tokens[i], now);
	arena_release(&arena);
}

static void *notices_loop(void *context)
{
	struct token_notices *notices = context;
	struct timespec until;

	while (!notices_end(notices)) {
		if (notices->session)
			tokens_look(notices);
		else
			tokens_log(notices);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += notices->per_minute ? MINUTE_S : LOOK_S;
		pthread_mutex_lock(&notices->lock);
		while (!notices->stop &&
		       !pthread_cond_timedwait(&notices->wake, &notices->lock, &until))
			;
		pthread_mutex_unlock(&notices->lock);
	}
	return NULL;
}

static void notices_release(struct token_notices *notices)
{
	while (notices->waiting) {
		struct telling *telling = notices->waiting;

		notices->waiting = telling->next;
		telling_free(telling);
	}
	mail_session_free(notices->session);
	arena_release(&notices->arena);
	pthread_cond_destroy(&notices->wake);
	pthread_mutex_destroy(&notices->lock);
	free(notices);
}

static enum err notices_begin(struct token_notices *notices, const struct settings *settings)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&notices->lock, NULL);
	pthread_cond_init(&notices->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (!settings->text[SETTING_SMTP_URL])
		return OK;
	if (!admin_mail(settings, &notices->arena, &notices->mail))
		return ERR_INVALID;
	notices->from = slice_of(settings->text[SETTING_MAIL_FROM]);
	notices->per_minute = settings->number[SETTING_MAIL_PER_MINUTE];
	notices->session = mail_session_new(&notices->mail);
	return notices->session ? OK : ERR_NOMEM;
}

enum err token_notices_start(const struct settings *settings, struct store *store,
			     struct token_notices **notices_out)
{
	struct token_notices *notices = calloc(1, sizeof(*notices));
	enum err err = notices ? notices_begin(notices, settings) : ERR_NOMEM;

	if (!err) {
		notices->store = store;
		if (pthread_create(&notices->thread, NULL, notices_loop, notices))
			err = ERR_NOMEM;
	}
	if (err) {
		log_line("cannot start the thread that tells about API tokens: %s", err_text(err));
		if (notices)
			notices_release(notices);
		return err;
	}
	*notices_out = notices;
	return OK;
}

void token_notices_drain(struct token_notices *notices)
{
	if (!notices)
		return;
	if (notices->session)
		mail_session_stop(notices->session);
	pthread_mutex_lock(&notices->lock);
	notices->stop = true;
	pthread_cond_signal(&notices->wake);
	pthread_mutex_unlock(&notices->lock);
}

void token_notices_stop(struct token_notices *notices)
{
	if (!notices)
		return;
	token_notices_drain(notices);
	pthread_join(notices->thread, NULL);
	notices_release(notices);
}
