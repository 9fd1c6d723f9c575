/* SPDX-License-Identifier: MIT */
/* The framing guard. libmicrohttpd before 0.9.77 takes the first of several Content-Length headers,
 * lets any Transfer-Encoding override it, reads `Content-Length : 3` as a header of another name,
 * ends the head at a header without a name, joins folded lines in a way that spoils names, takes a
 * bare LF for an end of line, and cuts texts at NUL. RFC 9112 allows or requires 400 in each case
 * (sections 2.2, 3, 5.1, 5.2, 6.1, 6.3). The guard cannot see one fault: NUL and LF at the end of a
 * line look like CR and LF. */
#include "guard.h"

#include <microhttpd.h>

#include "base/text.h"

/* libmicrohttpd before 0.9.77 leaves the head where it received it. It overwrites the end of each
 * line, and the separators in it, with NUL. */
#define IN_PLACE GUARD_READS_IN_PLACE

struct headers {
	const char *why; /* the first fault found */
	size_t content_lengths;
	size_t transfer_encodings;
	size_t hosts;
	const char *line; /* where the next line must begin */
};

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text, size_t len)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c != '\0' && strchr(others, c))))
			return false;
	}
	return len > 0;
}

/* Whether a header lies in memory as a line must: the name, the colon, blanks, the value, CRLF. It
 * does not if libmicrohttpd cut it at a NUL, joined it from folded lines, or took a bare LF for its
 * end. */
static bool header_lies_in_place(struct headers *headers, const char *name, size_t name_len,
				 const char *value, size_t value_len)
{
	const char *at = name + name_len + 1;

	if (name != headers->line || value < at || value - at > UINT16_MAX)
		return false;
	for (; at < value; at++)
		if (*at != ' ' && *at != '\t')
			return false;
	headers->line = value + value_len + 2;
	return headers->line[-2] == '\0' && headers->line[-1] == '\0';
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return true;
	return false;
}

/* uri-host [ ":" port ], by the characters that each may have (RFC 9110, section 7.2). */
static bool is_host(struct slice host)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._~!$&'()*+,;=%";
	bool literal = host.len && host.ptr[0] == '[';
	size_t at = literal ? 1 : 0;

	/* The value of a header is NUL-terminated. */
	at += strspn(host.ptr + at, literal ? "0123456789abcdefABCDEFv.:" : name);
	if (literal && host.ptr[at++] != ']')
		return false;
	if (at < host.len && host.ptr[at] == ':')
		at += 1 + strspn(host.ptr + at + 1, "0123456789");
	return at == host.len;
}

/* Checks the form of a header or a trailer. False: it is wrong. */
static bool header_check_form(struct headers *headers, const char *name, size_t name_len,
			      const char *value, size_t value_len)
{
	if (!value) {
		value = "";
		value_len = 0;
		headers->why = "a header has no value";
	}
	if (!is_token(name, name_len))
		headers->why = "a header name is not a token";
	else if (IN_PLACE && !header_lies_in_place(headers, name, name_len, value, value_len))
		headers->why = "a header has a NUL, no name, or a line that does not end with CRLF";
	else if (has_control(value, value_len))
		headers->why = "a header has a control character";
	return headers->why == NULL;
}

static enum MHD_Result header_check(void *context, enum MHD_ValueKind kind, const char *name,
				    size_t name_len, const char *value, size_t value_len)
{
	struct headers *headers = context;
	struct slice key = {name, name_len};

	(void)kind;
	if (!header_check_form(headers, name, name_len, value, value_len))
		return MHD_NO;
	headers->content_lengths += slice_is_nocase(key, "Content-Length");
	if (slice_is_nocase(key, "Host")) {
		headers->hosts++;
		if (!is_host((struct slice){value, value_len}))
			headers->why = "the header Host is not a host name or an address";
	}
	if (slice_is_nocase(key, "Transfer-Encoding")) {
		headers->transfer_encodings++;
		if (!slice_is_nocase((struct slice){value, value_len}, "chunked"))
			headers->why = "the header Transfer-Encoding must be chunked";
	}
	return headers->why ? MHD_NO : MHD_YES;
}

/* Whether the parts of the request line lie in memory with one blank between them. */
static bool line_lies_in_place(const struct http_request *request, const char *version)
{
	const char *target = request->target_end - request->target.len;

	return target == request->line + strlen(request->line) + 1 &&
	       version == request->target_end + 1;
}

/* Whether the empty line comes after the last header and ends the head. */
static bool head_ends(const struct http_request *request, const struct headers *headers)
{
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return size && headers->line + 2 == request->line + size->header_size &&
	       headers->line[0] == '\0' && headers->line[1] == '\0';
}

/* Checks the headers together. `http_1_0`: the request has HTTP/1.0. NULL: they are accepted. */
static const char *headers_check(const struct headers *headers, bool http_1_0)
{
	if (headers->content_lengths > 1)
		return "there is more than one Content-Length";
	if (headers->transfer_encodings > 1)
		return "there is more than one Transfer-Encoding";
	if (headers->hosts > 1)
		return "there is more than one Host";
	if (headers->content_lengths && headers->transfer_encodings)
		return "there are both Content-Length and Transfer-Encoding";
	if (headers->transfer_encodings && http_1_0)
		return "Transfer-Encoding needs HTTP/1.1";
	if (!http_1_0 && !headers->hosts)
		return "there is no Host";
	return NULL;
}

struct refusal guard_check(const struct http_request *request, const char *version)
{
	struct headers headers = {.line = version + strlen(version) + 2};
	bool http_1_0 = strcmp(version, "HTTP/1.0") == 0;

	if (!is_token(request->method, strlen(request->method)))
		return (struct refusal){400, "the method is not a token"};
	if (IN_PLACE && !line_lies_in_place(request, version))
		return (struct refusal){
			400, "the request line has a NUL or more than one blank between its parts"};
	if (!http_1_0 && strcmp(version, "HTTP/1.1") != 0)
		return (struct refusal){505, "the version must be HTTP/1.1 or HTTP/1.0"};
	MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, header_check, &headers);
	if (!headers.why && IN_PLACE && !head_ends(request, &headers))
		headers.why = "a header has a NUL, no name, or a line that does not end with CRLF";
	if (!headers.why)
		headers.why = headers_check(&headers, http_1_0);
	return headers.why ? (struct refusal){400, headers.why} : (struct refusal){0, NULL};
}

struct trailers {
	struct headers headers;
	const char *head, *head_end;
	const char *first;
};

static enum MHD_Result trailer_check(void *context, enum MHD_ValueKind kind, const char *name,
				     size_t name_len, const char *value, size_t value_len)
{
	struct trailers *trailers = context;

	(void)kind;
	/* libmicrohttpd 0.9.75 lists the last header again, if the trailers or the empty line after
	 * them did not arrive in one piece. */
	if (IN_PLACE && name >= trailers->head && name < trailers->head_end)
		return MHD_YES;
	if (!trailers->first)
		trailers->first = trailers->headers.line = name;
	if (!header_check_form(&trailers->headers, name, name_len, value, value_len))
		return MHD_NO;
	if (!IN_PLACE && value)
		trailers->headers.line = value + value_len + 2;
	return MHD_YES;
}

const char *guard_trailers(const struct http_request *request, size_t *bytes_out)
{
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct trailers trailers = {.head = request->line};

	trailers.head_end = request->line + (size ? size->header_size : 0);
	MHD_get_connection_values_n(request->connection, MHD_FOOTER_KIND, trailer_check, &trailers);
	*bytes_out = trailers.first ? (size_t)(trailers.headers.line - trailers.first) : 0;
	return trailers.headers.why ? "a trailer after the last chunk is malformed" : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *path_decode(struct arena *arena, struct slice raw, struct slice *path_out)
{
	char *path = arena_alloc(arena, raw.len + 1);
	size_t len = 0;

	if (!path)
		return "out of memory";
	for (size_t i = 0; i < raw.len; i++) {
		int high, low;

		if (raw.ptr[i] != '%') {
			path[len++] = raw.ptr[i];
			continue;
		}
		high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
		low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
		if (high < 0 || low < 0)
			return "the path has a % that two hexadecimal digits do not follow";
		if (high * 16 + low == 0 || high * 16 + low == '/')
			return "the path has an encoded NUL or slash";
		path[len++] = (char)(high * 16 + low);
		i += 2;
	}
	*path_out = (struct slice){path, len};
	return text_is_utf8(*path_out) ? NULL : "the path is not UTF-8";
}

const char *guard_target(struct arena *arena, struct slice target, struct slice *path_out,
			 struct slice *query_out, struct slice *authority_out)
{
	const char *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	struct slice path = target;

	/* Most often this is a timestamp of a filter that was not encoded. */
	if (target.len && memchr(target.ptr, ' ', target.len))
		return "the target has a blank; write it as %20, as in "
		       "updated_from=2024-01-01%2009:30:00";
	if (has_control(target.ptr, target.len) ||
	    (target.len && memchr(target.ptr, '\t', target.len)))
		return "the target has a control character";
	if (mark) {
		path.len = (size_t)(mark - target.ptr);
		*query_out = (struct slice){mark + 1, target.len - path.len - 1};
	}
	/* The absolute form, which a server must accept (RFC 9112, section 3.2.2). */
	if ((path.len > 7 && strncasecmp(path.ptr, "http://", 7) == 0) ||
	    (path.len > 8 && strncasecmp(path.ptr, "https://", 8) == 0)) {
		const char *authority = memmem(path.ptr, path.len, "//", 2) + 2;
		size_t left = path.len - (size_t)(authority - path.ptr);
		const char *slash = memchr(authority, '/', left);

		if (left == 0 || slash == authority)
			return "the target has no host";
		*authority_out =
			(struct slice){authority, slash ? (size_t)(slash - authority) : left};
		path = slash ? (struct slice){slash, left - (size_t)(slash - authority)}
			     : SLICE("/");
	}
	if (path.len == 0 || (path.ptr[0] != '/' && !slice_is(path, "*")))
		return "the target is not a path";
	return path_decode(arena, path, path_out);
}
