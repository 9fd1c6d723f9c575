/* SPDX-License-Identifier: MIT */
/* The trace of a request: its id, the client's address, and its line in the log. */
#include "pipeline_private.h"
#include "auth/request_id.h"
#include "base/clock.h"
#include "base/log_object.h"

#define METHOD_MAX 16
#define PATH_MAX_SHOWN 200

_Static_assert(HTTP_ID_MAX >= REQUEST_ID_MAX, "an id has room");

/* Some proxies add the port: 203.0.113.9:4711, [2001:db8::1]:4711. */
static struct slice address_without_port(struct slice text)
{
	const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	const char *close = text.len && *text.ptr == '[' ? memchr(text.ptr, ']', text.len) : NULL;

	if (close)
		return (struct slice){text.ptr + 1, (size_t)(close - text.ptr) - 1};
	if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.ptr)))
		text.len = (size_t)(colon - text.ptr);
	return text;
}

/* The proxy appends the address of its client to the header that the client sent. So the last
 * address can be trusted. */
struct ip trace_source(const struct app *app, struct http_request *http, bool *known_out)
{
	struct ip source = http_peer(http);
	struct slice list, last;
	const char *comma;

	*known_out = !app->behind_proxy;
	if (*known_out || http_header_list(http, "X-Forwarded-For", &list))
		return source;
	comma = memrchr(list.ptr, ',', list.len);
	last = comma ? slice_of(comma + 1) : list;
	while (last.len && strchr(" \t", *last.ptr)) {
		last.ptr++;
		last.len--;
	}
	while (last.len && strchr(" \t", last.ptr[last.len - 1]))
		last.len--;
	*known_out = ip_parse(address_without_port(last), &source);
	return source;
}

void trace_begin(struct http_request *http)
{
	struct slice id = http_header(http, "X-Request-Id");

	if (request_id_is_sane(id))
		memcpy(http->id, id.ptr, id.len);
	else
		request_id_new(http->id);
}

/* The decoded path; if it cannot be decoded, the path as it was sent. Never the query, which may
 * contain a name or a cursor, and never an authority, which may contain a password. */
static struct slice request_shown_path(const struct http_request *http)
{
	struct slice path = http->target;
	const char *mark = path.len ? memchr(path.ptr, '?', path.len) : NULL;

	if (http->path.len)
		return http->path;
	if (mark)
		path.len = (size_t)(mark - path.ptr);
	return path.len && path.ptr[0] == '/' ? path : (struct slice){NULL, 0};
}

/* The parts of the line that are not in the request. */
struct traced {
	int64_t now_ms, us;
	char address[IP_TEXT_MAX + 1], new_id[REQUEST_ID_NEW + 1];
	size_t address_len;
	const char *id, *end, *reason;
	const struct call *call; /* never NULL */
};

static void line_put_call(struct log_object *line, const struct call *call)
{
	log_put_text(line, "account", call->account, ACCOUNT_NAME_MAX);
	if (call->access.staff_id != ID_NONE)
		log_put_int(line, "staff", call->access.staff_id);
	else
		log_put_null(line, "staff");
}

static void line_put_object(struct log_object *line, const struct http_request *http,
			    const struct traced *traced)
{
	log_object_open(line);
	log_put_time(line, "time", traced->now_ms);
	log_put_text(line, "id", slice_of(traced->id), HTTP_ID_MAX);
	log_put_plain(line, "source", (struct slice){traced->address, traced->address_len});
	line_put_call(line, traced->call);
	log_put_text(line, "method", slice_of(http->method), METHOD_MAX);
	log_put_text(line, "route", slice_of(traced->call->match.path), PATH_MAX_SHOWN);
	log_put_text(line, "path", request_shown_path(http), PATH_MAX_SHOWN);
	log_put_int(line, "status", http->response.status);
	log_put_int(line, "bytes", (int64_t)http->body_bytes);
	log_put_thousandths(line, "ms", traced->us);
	log_put_plain(line, "end", slice_of(traced->end));
	if (traced->reason)
		log_put_plain(line, "reason", slice_of(traced->reason));
	if (traced->call->prefix_ignored)
		log_put_plain(line, "ignored", SLICE("X-Forwarded-Prefix"));
}

/* The line as words, for people: what they look for comes first. */
static void line_put_words(struct log_object *line, const struct http_request *http,
			   const struct traced *traced)
{
	log_words_open(line);
	log_put_time(line, "", traced->now_ms);
	log_put_int(line, "", http->response.status);
	log_put_text(line, "", slice_of(http->method), METHOD_MAX);
	log_put_text(line, "", request_shown_path(http), PATH_MAX_SHOWN);
	log_put_int(line, "", (int64_t)http->body_bytes);
	log_put_plain(line, "", SLICE("bytes"));
	log_put_thousandths(line, "", traced->us);
	log_put_plain(line, "", SLICE("ms from"));
	log_put_plain(line, "", (struct slice){traced->address, traced->address_len});
	log_put_plain(line, "", SLICE("account"));
	log_put_text(line, "", traced->call->account, ACCOUNT_NAME_MAX);
	if (traced->call->access.staff_id != ID_NONE) {
		log_put_plain(line, "", SLICE("staff"));
		log_put_int(line, "", traced->call->access.staff_id);
	}
	log_put_plain(line, "", SLICE("id"));
	log_put_text(line, "", slice_of(traced->id), HTTP_ID_MAX);
	if (traced->reason)
		log_put_plain(line, "", slice_of(traced->reason));
	if (traced->call->prefix_ignored)
		log_put_plain(line, "", SLICE("ignored X-Forwarded-Prefix"));
	if (http->ended != HTTP_SENT)
		log_put_plain(line, "", slice_of(traced->end));
}

void trace_end(const struct app *app, const struct http_request *http, const struct call *call,
	       int64_t us)
{
	static const char *const ends[] = {
		[HTTP_SENT] = "sent",           [HTTP_BROKEN_OFF] = "broken off",
		[HTTP_TIMED_OUT] = "timed out", [HTTP_CUT_OFF] = "cut off",
		[HTTP_REFUSED] = "refused",
	};
	static const struct call none = {0};
	struct traced traced = {
		.now_ms = system_ms(),
		.us = us,
		.end = ends[http->ended],
		.call = call ? call : &none,
	};
	struct log_object line;
	struct ip source;

	if (!app->log || (call && call->match.open && http->response.status < 400))
		return;
	/* A request that libmicrohttpd refuses has no id. It gets one for its line only. */
	if (!*http->id)
		request_id_new(traced.new_id);
	traced.id = *http->id ? http->id : traced.new_id;
	source = call ? call->source : http_peer(http);
	traced.address_len = ip_write(&source, traced.address);
	if (call)
		traced.reason = call->reason ? call->reason : auth_reason(&call->auth);
	if (log_format() == LOG_JSON)
		line_put_object(&line, http, &traced);
	else
		line_put_words(&line, http, &traced);
	log_stream_write(app->log, log_object_close(&line));
}
