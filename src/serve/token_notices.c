/* SPDX-License-Identifier: MIT */
/* The thread that tells about tokens before they expire. If the mail server takes no message, it
 * tries again an hour later, as long as the token works. */
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
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under the lock */
};

/* What is told about one token. */
struct telling {
	struct token_notices *notices;
	const struct ending_token *token;
	char expires[TIMESTAMP_LEN + 1];
	struct buf subject, text, addresses; /* addresses of MAIL_ADDRESS_BYTES each */
	size_t accepted, temporary;
};

static bool notices_end(struct token_notices *notices)
{
	bool stop;

	pthread_mutex_lock(&notices->lock);
	stop = notices->stop;
	pthread_mutex_unlock(&notices->lock);
	return stop;
}

static enum err telling_add_address(void *context, const void *address)
{
	struct telling *telling = context;
	char text[MAIL_ADDRESS_BYTES] = "";

	if (mail_address(*(const struct slice *)address, text))
		buf_add(&telling->addresses, text, sizeof(text));
	return telling->addresses.failed ? ERR_NOMEM : OK;
}

static void telling_write(struct telling *telling)
{
	const struct ending_token *token = telling->token;
	char host[HOST_BYTES] = "";

	(void)gethostname(host, sizeof(host) - 1);
	buf_printf(&telling->subject, "docket: the API token \"%.*s\" expires at %s",
		   (int)token->label.len, token->label.ptr, telling->expires);
	buf_printf(&telling->text,
		   "The API token \"%.*s\" of the account \"%.*s\" expires at %s.\n"
		   "After that, docket refuses the requests of programs that use it.\n\n"
		   "\"docket token rotate\" makes a new token in its place.\n\n"
		   "This message is from docket on the machine %s.\n",
		   (int)token->label.len, token->label.ptr, (int)token->account.len,
		   token->account.ptr, telling->expires, host);
}

/* Returns false if the mail server takes no message now. */
static bool telling_send(struct telling *telling, const char *address, size_t number)
{
	struct token_notices *notices = telling->notices;
	const char *at = memchr(notices->from.ptr, '@', notices->from.len);
	char id[MAIL_ADDRESS_BYTES + 128];
	struct mail_answer answer;
	const struct mail mail = {
		.from = notices->from,
		.to = slice_of(address),
		.subject = buf_slice(&telling->subject),
		.text = buf_slice(&telling->text),
		.id = {id, (size_t)snprintf(id, sizeof(id), "token.%lld.%zu.%ld%s",
					    (long long)system_ms(), number, (long)getpid(), at)},
		.date = clock_now(&system_clock),
	};

	mail_send(notices->session, &mail, &answer);
	telling->accepted += answer.outcome == MAIL_ACCEPTED || answer.outcome == MAIL_UNKNOWN;
	telling->temporary += answer.outcome == MAIL_TEMPORARY;
	if (answer.outcome == MAIL_TEMPORARY || answer.outcome == MAIL_PERMANENT)
		log_line("cannot send a message about an API token to %s: %s", address,
			 answer.text);
	return !answer.unavailable;
}

/* Sends the message to each address. */
static void telling_send_all(struct telling *telling)
{
	size_t count = telling->addresses.len / MAIL_ADDRESS_BYTES, number = 0;

	while (number < count &&
	       telling_send(telling, telling->addresses.ptr + number * MAIL_ADDRESS_BYTES, number))
		number++;
	mail_session_rest(telling->notices->session);
}

static void token_log(const struct ending_token *token)
{
	char expires[TIMESTAMP_LEN];

	timestamp_write(token->expires_at, expires);
	log_line("the API token \"%.*s\" of the account \"%.*s\" expires at %.*s",
		 (int)token->label.len, token->label.ptr, (int)token->account.len,
		 token->account.ptr, TIMESTAMP_LEN, expires);
}

/* Returns how many messages were sent. Sets `done_out` if nobody has to be told again. */
static size_t token_tell(struct token_notices *notices, const struct ending_token *token,
			 bool *done_out)
{
	struct telling telling = {.notices = notices, .token = token};
	enum err err;
	size_t sent;

	timestamp_write(token->expires_at, telling.expires);
	token_log(token);
	telling_write(&telling);
	err = telling.subject.failed || telling.text.failed
		      ? ERR_NOMEM
		      : store_account_addresses(notices->store, token->account_id,
						telling_add_address, &telling);
	if (!err)
		telling_send_all(&telling);
	*done_out = !err && (telling.accepted || !telling.temporary);
	sent = telling.accepted + telling.temporary;
	buf_release(&telling.subject);
	buf_release(&telling.text);
	buf_release(&telling.addresses);
	return sent;
}

/* Tells about one token, unless another process does. Returns how many messages were sent. */
static size_t token_take(struct token_notices *notices, struct ending_token *token, int64_t now)
{
	bool claimed = false, done = false;
	size_t sent = 0;

	if (token_notice_claim(notices->store, token, now + RETRY_S, &claimed) || !claimed)
		return 0;
	sent = token_tell(notices, token, &done);
	if (done)
		(void)token_notice_claim(notices->store, token, token->expires_at, &claimed);
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
	int64_t now = clock_now(&system_clock), sent = 0;
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
