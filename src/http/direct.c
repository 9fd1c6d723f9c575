/* SPDX-License-Identifier: MIT */
/* Answers requests whose head has some 32,100 bytes. A shorter head leaves libmicrohttpd room for
 * docket's refusal, and libmicrohttpd itself refuses a longer one. To one of this length it would
 * give no answer. */
#include "direct.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "connections.h"

#define DISCARD_MAX ((size_t)256 * 1024)

static void direct_add_line(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s: %s\r\n", name, value);
}

static void direct_add_date(struct buf *out)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[64];

	if (gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc))
		direct_add_line(out, "Date", text);
}

/* Sends the answer, then ends docket's side of the connection. */
static bool direct_send(const struct http_request *request, struct slice text)
{
	const union MHD_ConnectionInfo *tls =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	int fd = request->on->fd;
	ssize_t count;

	if (tls && tls->tls_session) {
		count = gnutls_record_send(tls->tls_session, text.ptr, text.len);
		gnutls_bye(tls->tls_session, GNUTLS_SHUT_WR);
	} else {
		count = send(fd, text.ptr, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	shutdown(fd, SHUT_WR);
	return count == (ssize_t)text.len;
}

/* Reads the bytes that have arrived. If a connection is closed with unread bytes, the kernel resets
 * it and the client can lose the answer. */
static void direct_discard_unread(int fd)
{
	char bytes[8192];

	for (size_t total = 0; total < DISCARD_MAX; total += sizeof(bytes))
		if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
			return;
}

bool direct_answer(struct http_request *request, const char *hsts)
{
	const struct http_response *response = &request->response;
	struct buf text = {0};
	bool sent;

	buf_printf(&text, "HTTP/1.1 %u %s\r\n", response->status, http_reason(response->status));
	direct_add_date(&text);
	direct_add_line(&text, "Connection", "close");
	buf_printf(&text, "Content-Length: %zu\r\n", response->body.len);
	for (size_t i = 0; i < response->header_count; i++)
		direct_add_line(&text, response->headers[i].name, response->headers[i].value);
	if (hsts)
		direct_add_line(&text, "Strict-Transport-Security", hsts);
	if (*request->id)
		direct_add_line(&text, "X-Request-Id", request->id);
	buf_add_text(&text, "\r\n");
	if (strcmp(request->method, "HEAD") != 0) {
		request->body_bytes = response->body.len;
		buf_add_slice(&text, buf_slice(&response->body));
	}
	sent = !text.failed && direct_send(request, buf_slice(&text));
	direct_discard_unread(request->on->fd);
	buf_release(&text);
	return sent;
}
