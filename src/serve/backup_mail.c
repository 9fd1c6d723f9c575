/* SPDX-License-Identifier: MIT */
/* Tells staff by mail that the daily backup failed, and that it works again. What was told is known
 * until the process ends. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "mail/mail.h"
#include "serve_private.h"

#define DAY 86400
#define PAUSE_FIRST_MS 4000 /* until the next attempt; each later one is twice as long */
#define PAUSE_MOST_MS 60000
#define HOST_BYTES 256

enum notice { NOTICE_NONE, NOTICE_FAILED, NOTICE_WORKS };
static const char *const subjects[] = {
	[NOTICE_FAILED] = "docket: the daily backup failed",
	[NOTICE_WORKS] = "docket: the daily backup works again",
};

struct notices {
	struct arena arena; /* for the settings */
	struct store *store;
	struct mail_config mail;
	struct slice from;
	int64_t per_minute; /* 0: no limit */
	struct mail_session *session;
	int64_t told_at; /* when the last message about a failure was begun; TIME_NONE: never */
	bool told;       /* somebody got it, and none that it works again */

	enum notice waiting;
	struct buf text;
	struct buf recipients; /* of struct recipient */
	bool listed;           /* the recipients are known */
	bool blamed;           /* the mail server's answer was logged */
	int64_t began_ms, next_ms, pause_ms;
};

enum err notices_new(const struct settings *settings, struct store *store,
		     struct notices **notices_out)
{
	struct notices *notices;
	enum err err = OK;

	if (!settings->text[SETTING_SMTP_URL])
		return OK;
	notices = calloc(1, sizeof(*notices));
	if (!notices)
		return ERR_NOMEM;
	notices->store = store;
	notices->from = slice_of(settings->text[SETTING_MAIL_FROM]);
	notices->per_minute = settings->number[SETTING_MAIL_PER_MINUTE];
	notices->told_at = TIME_NONE;
	if (!admin_mail(settings, &notices->arena, &notices->mail))
		err = ERR_INVALID;
	else if (!(notices->session = mail_session_new(&notices->mail)))
		err = ERR_NOMEM;
	if (err)
		notices_free(notices);
	else
		*notices_out = notices;
	return err;
}

void notices_free(struct notices *notices)
{
	if (!notices)
		return;
	mail_session_free(notices->session);
	buf_release(&notices->text);
	buf_release(&notices->recipients);
	arena_release(&notices->arena);
	free(notices);
}

void notices_stop(struct notices *notices)
{
	if (notices)
		mail_session_stop(notices->session);
}

static void notice_drop(struct notices *notices)
{
	notices->waiting = NOTICE_NONE;
	notices->listed = notices->blamed = false;
	buf_release(&notices->recipients);
	buf_release(&notices->text);
}

static void notice_set(struct notices *notices, enum notice notice, const char *text)
{
	char host[HOST_BYTES] = "";

	notice_drop(notices);
	(void)gethostname(host, sizeof(host) - 1);
	buf_printf(&notices->text, "%s\nThis message is from docket on the machine %s.\n", text,
		   host);
	if (notices->text.failed)
		return;
	notices->waiting = notice;
	notices->began_ms = monotonic_ms();
	notices->next_ms = 0;
	/* Not more than --mail-per-minute. */
	notices->pause_ms = notices->per_minute ? PAUSE_MOST_MS : PAUSE_FIRST_MS;
}

void notices_fail(struct notices *notices, int64_t now, const char *text)
{
	int64_t told_at;

	if (!notices)
		return;
	if (notices->waiting == NOTICE_WORKS) {
		notice_drop(notices);
		notices->told = true;
	}
	told_at = notices->told_at;
	if (told_at != TIME_NONE && now >= told_at && now - told_at < DAY)
		return;
	notices->told_at = now;
	notice_set(notices, NOTICE_FAILED, text);
}

void notices_recover(struct notices *notices, const char *text)
{
	if (!notices)
		return;
	if (notices->waiting == NOTICE_FAILED)
		notice_drop(notices);
	if (notices->told) {
		notice_set(notices, NOTICE_WORKS, text);
		notices->told_at = TIME_NONE; /* the next failure is news */
	}
	notices->told = false;
}

enum err recipient_add(void *recipients, const void *address)
{
	struct recipient recipient = {.done = false};
	struct buf *buf = recipients;

	if (mail_address(*(const struct slice *)address, recipient.address))
		buf_add(buf, (const char *)&recipient, sizeof(recipient));
	return buf->failed ? ERR_NOMEM : OK;
}

/* Lists the recipients. False: another time. */
static bool recipients_list(struct notices *notices)
{
	enum err err = OK;

	if (!notices->listed)
		err = store_full_addresses(notices->store, recipient_add, &notices->recipients);
	if (err)
		buf_release(&notices->recipients);
	else if (!notices->recipients.len)
		log_line("nobody is told about the backup: no staff member with full access has an "
			 "e-mail address");
	notices->listed = !err;
	return !err;
}

/* Returns false if the mail server takes no message now. */
static bool notice_send(struct notices *notices, struct recipient *recipient, size_t number)
{
	const char *at = memchr(notices->from.ptr, '@', notices->from.len);
	char id[MAIL_ADDRESS_BYTES + 128];
	struct mail_answer answer;
	const struct mail mail = {
		.from = notices->from,
		.to = slice_of(recipient->address),
		.subject = slice_of(subjects[notices->waiting]),
		.text = buf_slice(&notices->text),
		.id = {id, (size_t)snprintf(id, sizeof(id), "backup.%lld.%zu.%ld%s",
					    (long long)system_ms(), number, (long)getpid(), at)},
		.date = clock_now(&system_clock),
	};

	mail_send(notices->session, &mail, &answer);
	recipient->done = answer.outcome != MAIL_TEMPORARY;
	if (answer.outcome == MAIL_ACCEPTED || answer.outcome == MAIL_UNKNOWN)
		notices->told |= notices->waiting == NOTICE_FAILED;
	else if (answer.outcome == MAIL_PERMANENT || !notices->blamed)
		log_line("cannot send a message about the backup to %s: %s", recipient->address,
			 answer.text);
	notices->blamed |= answer.outcome == MAIL_TEMPORARY;
	return !answer.unavailable;
}

/* Sends to those who do not have the message yet. Returns whether all have it. */
static bool notice_send_all(struct notices *notices)
{
	struct recipient *recipients = (struct recipient *)(void *)notices->recipients.ptr;
	size_t count = notices->recipients.len / sizeof(*recipients), left = 0;
	int64_t sent = 0;
	bool goes_on = true;

	for (size_t i = 0; i < count; i++) {
		if (!recipients[i].done && goes_on) {
			goes_on = notice_send(notices, &recipients[i], i);
			sent++;
			if (notices->per_minute && sent >= notices->per_minute)
				goes_on = false;
		}
		left += !recipients[i].done;
	}
	mail_session_rest(notices->session);
	return !left;
}

void notices_send(struct notices *notices)
{
	int64_t now_ms = monotonic_ms();

	if (!notices || !notices->waiting || now_ms < notices->next_ms)
		return;
	if ((recipients_list(notices) && notice_send_all(notices)) ||
	    now_ms - notices->began_ms > (int64_t)DAY * 1000)
		notice_drop(notices);
	notices->next_ms = now_ms + notices->pause_ms;
	notices->pause_ms =
		notices->pause_ms * 2 < PAUSE_MOST_MS ? notices->pause_ms * 2 : PAUSE_MOST_MS;
}
