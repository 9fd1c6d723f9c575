/* SPDX-License-Identifier: MIT */
/* Sends e-mail, through SMTP (RFC 5321) by libcurl, or into a folder of files.
 *
 *     struct mail_config config = {.url = "smtp://mail.example.com:587", .timeout_s = 60};
 *     struct mail mail = {.from = "docket@example.com", .to = "ann@example.com", …};
 *     struct mail_answer answer;
 *     struct mail_session *session = mail_session_new(&config);
 *
 *     mail_send(session, &mail, &answer);
 *     if (answer.outcome != MAIL_ACCEPTED)
 *             log_line("not sent: %s", answer.text);
 *     mail_session_free(session);
 *
 * The connection to the server stays open between messages. Beyond this machine it has TLS, and the
 * server's certificate is checked. */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* The texts must outlive the sessions. */
struct mail_config {
	/* smtp://HOST[:PORT], smtps://HOST[:PORT] or file:DIR. For a session the first two may end
	 * in /NAME: the name in EHLO, in place of this machine's. */
	const char *url;
	const char *username; /* for AUTH; NULL: no AUTH */
	const char *password; /* not NULL if there is a user name */
	const char *ca_file;  /* the certificates to trust, as PEM; NULL: the system's */
	unsigned timeout_s; /* how long one message may take, from connecting to the last answer */
};

/* Whether the URL is one of the forms above, without a NAME. It may have no user name and no
 * password. Without TLS
 * a password goes only to this machine. False: `why` says what is wrong, as in "must be …", and
 * shows nothing of the URL, which may contain a password. */
bool mail_config_check(const struct mail_config *config, struct buf *why);

/* With the NUL (RFC 5321, section 4.5.3.1.3). */
#define MAIL_ADDRESS_BYTES 255

/* Whether a text is an e-mail address that is safe in a header and in a command of SMTP: ASCII, one
 * @ with something before it and a domain after it, no blank, no control character, none of
 * <>,;:"()[]\. */
bool mail_is_address(struct slice text);

/* Writes an address of UTF-8 as such a text. In the domain, letters beyond ASCII become A-labels.
 * False: there is no such text; before the @ only ASCII can be sent without SMTPUTF8 (RFC 6531). */
bool mail_address(struct slice text, char out[MAIL_ADDRESS_BYTES]);

struct mail_header {
	const char *name; /* of ASCII letters and hyphens */
	struct slice value;
};

/* A message. All texts are UTF-8. A text in a header may contain anything: control characters
 * become blanks, and what is not ASCII is encoded (RFC 2047). */
struct mail {
	struct slice from, to; /* addresses */
	struct slice to_name;  /* may be empty */
	struct slice subject;
	struct slice text;              /* the plain text; lines end in \n */
	struct slice html;              /* the same in HTML; empty: only the text is sent */
	struct slice id;                /* the Message-ID without its brackets: ASCII, no blanks */
	int64_t date;                   /* seconds since 1970-01-01 UTC */
	const struct mail_header *more; /* further headers, such as X-Docket-Task */
	size_t more_count;
};

/* Writes the message as it is sent (RFC 5322, MIME): lines of ASCII that end in CRLF. It has the
 * header Auto-Submitted (RFC 3834). ERR_INVALID if an address or the id is not well-formed. */
enum err mail_write(const struct mail *mail, struct buf *out);

enum mail_outcome {
	MAIL_ACCEPTED,  /* the server has taken the message */
	MAIL_TEMPORARY, /* it has not, and another attempt can succeed: 4xx, no connection */
	MAIL_PERMANENT, /* it refuses this message for good: 5xx */
	MAIL_UNKNOWN,   /* the connection was lost after the end of the message: sent or not */
};

#define MAIL_ANSWER_BYTES 512

struct mail_answer {
	enum mail_outcome outcome;
	/* The fault is the server's or the connection's, not the message's: no server, no TLS, no
	 * AUTH, 421. Other messages would fail as well. */
	bool unavailable;
	/* The server was told of this message, by MAIL. Until then no fault is the message's. */
	bool begun;
	/* The server's last answer, or what went wrong: one line of printable ASCII. */
	char text[MAIL_ANSWER_BYTES];
};

struct mail_session;

/* To be called once before any thread starts, and at the end. ERR_NOMEM. */
enum err mail_begin(void);
void mail_end(void);

/* A session is for one thread. `config` must pass mail_config_check() and outlive the session.
 * NULL: memory ran out. */
struct mail_session *mail_session_new(const struct mail_config *config);

/* Says goodbye to the server. NULL is accepted. */
void mail_session_free(struct mail_session *session);

/* Sends the message, or tries to, and waits for the server's answer: two seconds longer than
 * `timeout_s` at most. */
void mail_send(struct mail_session *session, const struct mail *mail,
	       struct mail_answer *answer_out);

/* Closes the connection to the server, if it is open: before a long pause. */
void mail_session_rest(struct mail_session *session);

/* Makes mail_send() end within a second, now and from now on. Another thread may call it. */
void mail_session_stop(struct mail_session *session);

#endif
