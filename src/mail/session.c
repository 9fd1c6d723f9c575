/* SPDX-License-Identifier: MIT */
/* Sends messages by libcurl, and finds out what became of each. libcurl has few error codes for
 * SMTP: 7.88 returns the same one whether the server refuses a recipient for good or only once. So
 * the outcome comes from the server's last answer and from how far the message had gone. */
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mail_private.h"

#define RECEIVED_MOST (64 * 1024) /* bytes of answers while one message is sent */
#define RECEIVE_BUFFER 4096
#define QUIT_MS 500 /* how long the server may take to answer QUIT */
#define MECHANISMS "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5"

/* One attempt to send one message. */
struct attempt {
	struct slice left; /* of the message, for libcurl to read */
	bool named;      /* the command MAIL was sent: from here on a refusal is of this message */
	bool ended;      /* libcurl has read all of the message */
	bool over;       /* libcurl has said QUIT: the answer to that does not count */
	int64_t over_ms; /* when, by monotonic_ms() */
	size_t received; /* bytes of answers */
	/* The server's last answer since the last command; 0: none. */
	int code;
	bool complete;    /* its last line has come */
	struct buf lines; /* its text */
	char error[CURL_ERROR_SIZE];
};

struct mail_session {
	const struct mail_config *config;
	CURL *curl; /* NULL: not connected */
	atomic_bool stopped;
	struct buf message;
	struct attempt attempt;
};

enum err mail_begin(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) ? ERR_NOMEM : OK;
}

void mail_end(void)
{
	curl_global_cleanup();
}

static void attempt_forget_answer(struct attempt *attempt)
{
	attempt->code = 0;
	attempt->complete = false;
	buf_clear(&attempt->lines);
}

/* libcurl's debug output: the commands. */
static int take_command(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
	struct attempt *attempt = context;

	(void)curl;
	if (type != CURLINFO_HEADER_OUT || attempt->over)
		return 0;
	attempt->over = size >= 4 && memcmp(data, "QUIT", 4) == 0;
	attempt->named |= size >= 4 && memcmp(data, "MAIL", 4) == 0;
	if (attempt->over)
		attempt->over_ms = monotonic_ms();
	else
		attempt_forget_answer(attempt);
	return 0;
}

static bool line_has_code(struct slice line)
{
	for (size_t i = 0; i < 3; i++)
		if (i == line.len || line.ptr[i] < '0' || line.ptr[i] > '9')
			return false;
	return true;
}

/* A line of an answer (RFC 5321, section 4.2): a code of three digits, then a hyphen if more lines
 * follow. libcurl ignores other lines. To return 0 ends the attempt. */
static size_t take_line(char *data, size_t one, size_t size, void *context)
{
	struct attempt *attempt = context;
	struct slice line = {data, size};

	(void)one;
	attempt->received += size;
	if (attempt->received > RECEIVED_MOST)
		return 0;
	while (line.len && strchr("\r\n", line.ptr[line.len - 1]))
		line.len--;
	if (attempt->over || !line_has_code(line))
		return size;
	if (attempt->complete)
		attempt_forget_answer(attempt);
	if (!attempt->lines.len)
		buf_add(&attempt->lines, line.ptr, 3);
	if (line.len > 4) {
		buf_add_char(&attempt->lines, ' ');
		buf_add(&attempt->lines, line.ptr + 4, line.len - 4);
	}
	attempt->complete = line.len == 3 || line.ptr[3] != '-';
	if (attempt->complete)
		attempt->code = (int)strtol(attempt->lines.ptr, NULL, 10);
	return size;
}

static size_t give_message(char *to, size_t one, size_t size, void *context)
{
	struct attempt *attempt = context;

	if (size > attempt->left.len)
		size = attempt->left.len;
	memcpy(to, attempt->left.ptr, size * one);
	attempt->left.ptr += size;
	attempt->left.len -= size;
	if (!attempt->left.len && !attempt->ended) {
		attempt->ended = true;
		attempt_forget_answer(attempt);
	}
	return size;
}

/* libcurl calls this at least once a second. To return 1 ends the attempt. libcurl 7.88 waits for
 * the answer to QUIT as long as for any other. */
static int is_stopped(void *context, curl_off_t down, curl_off_t down_now, curl_off_t up,
		      curl_off_t up_now)
{
	const struct mail_session *session = context;

	(void)down;
	(void)down_now;
	(void)up;
	(void)up_now;
	return atomic_load(&session->stopped) ||
	       (session->attempt.over && monotonic_ms() >= session->attempt.over_ms + QUIT_MS);
}

/* With a small buffer a server that never ends a line cannot keep libcurl 7.88 reading: it looks at
 * the time only when there is nothing to read. */
static int set_up_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	int bytes = RECEIVE_BUFFER;

	(void)context;
	(void)purpose;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return CURL_SOCKOPT_OK;
}

/* On this machine the certificate of a mail server is seldom of a name that can be checked. Nobody
 * is between, so no TLS is needed. */
static void session_secure(struct mail_session *session)
{
	const struct mail_config *config = session->config;

	curl_easy_setopt(session->curl, CURLOPT_USE_SSL,
			 (long)(mail_is_local(config->url) ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(session->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (config->ca_file)
		curl_easy_setopt(session->curl, CURLOPT_CAINFO, config->ca_file);
	if (config->username) {
		curl_easy_setopt(session->curl, CURLOPT_USERNAME, config->username);
		curl_easy_setopt(session->curl, CURLOPT_PASSWORD, config->password);
		curl_easy_setopt(session->curl, CURLOPT_LOGIN_OPTIONS, MECHANISMS);
	}
}

static void session_set_callbacks(struct mail_session *session)
{
	CURL *curl = session->curl;

	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, take_command);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &session->attempt);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &session->attempt);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, &session->attempt);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_stopped);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, session);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, set_up_socket);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->attempt.error);
}

static bool session_open(struct mail_session *session)
{
	const struct mail_config *config = session->config;
	CURL *curl = session->curl;

	if (curl)
		return true;
	curl = session->curl = curl_easy_init();
	if (!curl)
		return false;
	curl_easy_setopt(curl, CURLOPT_URL, config->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* not that of the environment */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)config->timeout_s);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)config->timeout_s);
	session_set_callbacks(session);
	session_secure(session);
	return true;
}

/* libcurl sends QUIT and waits for the answer, up to two minutes. With nothing left to read it does
 * not wait. */
void mail_session_rest(struct mail_session *session)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (session->curl && !curl_easy_getinfo(session->curl, CURLINFO_ACTIVESOCKET, &fd) &&
	    fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
	curl_easy_cleanup(session->curl);
	session->curl = NULL;
}

struct mail_session *mail_session_new(const struct mail_config *config)
{
	struct mail_session *session = calloc(1, sizeof(*session));

	if (session)
		session->config = config;
	return session;
}

void mail_session_free(struct mail_session *session)
{
	if (!session)
		return;
	mail_session_rest(session);
	buf_release(&session->message);
	buf_release(&session->attempt.lines);
	free(session);
}

void mail_session_stop(struct mail_session *session)
{
	atomic_store(&session->stopped, true);
}

void mail_answer_text(struct mail_answer *answer, struct slice text)
{
	size_t len = text.len < MAIL_ANSWER_BYTES ? text.len : MAIL_ANSWER_BYTES - 1;

	for (size_t i = 0; i < len; i++) {
		char c = text.ptr[i];

		answer->text[i] = c;
		if (c < ' ' || c > '~')
			answer->text[i] = '?';
	}
	answer->text[len] = '\0';
}

/* Says that no login is possible or that more are needed: the fault of a setting. */
static bool is_about_login(int code)
{
	return code / 10 == 53;
}

static enum mail_outcome attempt_outcome(const struct attempt *attempt)
{
	int kind = attempt->code / 100;

	if (attempt->ended && kind == 2)
		return MAIL_ACCEPTED;
	if (kind == 5 && attempt->named && !is_about_login(attempt->code))
		return MAIL_PERMANENT;
	return attempt->ended && kind != 4 && kind != 5 ? MAIL_UNKNOWN : MAIL_TEMPORARY;
}

/* One attempt of at most so many milliseconds, over the open connection if there is one, unless
 * `fresh`. */
static CURLcode session_try(struct mail_session *session, struct curl_slist *to, bool fresh,
			    int64_t most_ms)
{
	struct attempt *attempt = &session->attempt;

	attempt_forget_answer(attempt);
	attempt->left = buf_slice(&session->message);
	attempt->named = attempt->ended = attempt->over = false;
	attempt->received = 0;
	attempt->error[0] = '\0';
	curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(session->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)session->message.len);
	curl_easy_setopt(session->curl, CURLOPT_FRESH_CONNECT, (long)fresh);
	curl_easy_setopt(session->curl, CURLOPT_TIMEOUT_MS, (long)most_ms);
	return curl_easy_perform(session->curl);
}

/* Whether the server had closed the open connection, or was about to, before it was used again. */
static bool session_was_stale(const struct mail_session *session, CURLcode result)
{
	const struct attempt *attempt = &session->attempt;
	long connects = 1;

	curl_easy_getinfo(session->curl, CURLINFO_NUM_CONNECTS, &connects);
	return result && result != CURLE_OPERATION_TIMEDOUT && connects == 0 && !attempt->ended &&
	       (attempt->code == 0 || attempt->code == 421) && !atomic_load(&session->stopped);
}

static void session_answer(struct mail_session *session, CURLcode result,
			   struct mail_answer *answer_out)
{
	struct attempt *attempt = &session->attempt;
	bool told = attempt->code / 100 == 4 || attempt->code / 100 == 5;

	*answer_out =
		(struct mail_answer){.outcome = attempt_outcome(attempt), .begun = attempt->named};
	answer_out->unavailable =
		answer_out->outcome != MAIL_ACCEPTED &&
		(!attempt->named || attempt->code == 421 || is_about_login(attempt->code));
	if (answer_out->outcome == MAIL_ACCEPTED || told)
		mail_answer_text(answer_out, buf_slice(&attempt->lines));
	else if (attempt->received > RECEIVED_MOST)
		mail_answer_text(answer_out, SLICE("the server's answer is too long"));
	else
		mail_answer_text(answer_out,
				 slice_of(attempt->error[0] ? attempt->error
							    : curl_easy_strerror(result)));
}

static void session_exchange(struct mail_session *session, const char *from, struct curl_slist *to,
			     struct mail_answer *answer_out)
{
	int64_t left_ms = (int64_t)1000 * session->config->timeout_s;
	int64_t until_ms = monotonic_ms() + left_ms;
	CURLcode result;

	curl_easy_setopt(session->curl, CURLOPT_MAIL_FROM, from);
	result = session_try(session, to, false, left_ms);
	left_ms = until_ms - monotonic_ms();
	if (left_ms > 0 && session_was_stale(session, result))
		result = session_try(session, to, true, left_ms);
	session_answer(session, result, answer_out);
}

static enum err session_send(struct mail_session *session, const struct mail *mail,
			     struct mail_answer *answer_out)
{
	char from[MAIL_ANSWER_BYTES], to[MAIL_ANSWER_BYTES];
	struct curl_slist *list;

	snprintf(from, sizeof(from), "%.*s", (int)mail->from.len, mail->from.ptr);
	snprintf(to, sizeof(to), "%.*s", (int)mail->to.len, mail->to.ptr);
	list = curl_slist_append(NULL, to);
	if (!list || !session_open(session)) {
		curl_slist_free_all(list);
		return ERR_NOMEM;
	}
	session_exchange(session, from, list, answer_out);
	curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(list);
	return OK;
}

void mail_send(struct mail_session *session, const struct mail *mail,
	       struct mail_answer *answer_out)
{
	const char *folder = mail_folder(session->config->url);
	enum err err;

	buf_clear(&session->message);
	err = mail_write(mail, &session->message);
	if (!err && folder)
		mail_file(folder, mail->id, buf_slice(&session->message), answer_out);
	else if (!err)
		err = session_send(session, mail, answer_out);
	if (!err)
		return;
	*answer_out = (struct mail_answer){.outcome = err == ERR_INVALID ? MAIL_PERMANENT
									 : MAIL_TEMPORARY};
	mail_answer_text(answer_out, err == ERR_INVALID ? SLICE("an address is not well-formed")
							: slice_of(err_text(err)));
}
