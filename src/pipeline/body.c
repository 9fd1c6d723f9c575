/* SPDX-License-Identifier: MIT */
/* The body of a request and the headers that describe it. */
#include "pipeline_private.h"
#include "json/read.h"

/* "application/json" or "application/….+json", with no charset but UTF-8. */
static bool media_type_is_json(struct slice type)
{
	const char *semicolon = type.len ? memchr(type.ptr, ';', type.len) : NULL;
	struct slice essence = {type.ptr, semicolon ? (size_t)(semicolon - type.ptr) : type.len};
	const char *charset = strcasestr(type.ptr, "charset=");

	while (essence.len && strchr(" \t", essence.ptr[essence.len - 1]))
		essence.len--;
	if (charset) {
		charset += strlen("charset=");
		charset += *charset == '"';
		if (strncasecmp(charset, "utf-8", 5) != 0 ||
		    (charset[5] && !strchr("\" ;", charset[5])))
			return false;
	}
	/* A JSON Patch (RFC 6902) is an array of operations, not an object with fields. */
	if (slice_is_nocase(essence, "application/json-patch+json"))
		return false;
	return slice_is_nocase(essence, "application/json") ||
	       (essence.len > 17 && strncasecmp(essence.ptr, "application/", 12) == 0 &&
		strncasecmp(essence.ptr + essence.len - 5, "+json", 5) == 0);
}

bool body_check_headers(struct call *call)
{
	struct slice type = http_header(call->http, "Content-Type");
	struct slice coding = http_header(call->http, "Content-Encoding");
	bool patch = strcmp(call->http->method, "PATCH") == 0;

	if (call->route->body == BODY_NONE)
		return true;
	if (type.ptr && type.len && !media_type_is_json(type)) {
		if (patch)
			answer_add_accept_patch(call); /* RFC 5789, section 2.2 */
		problem(call, 415,
			"the header Content-Type must be application/json%s, with no charset but "
			"utf-8",
			patch ? " or application/merge-patch+json" : "");
		return false;
	}
	if (coding.ptr && coding.len && !slice_is_nocase(coding, "identity")) {
		problem(call, 415,
			"the body must not be compressed: leave the header Content-Encoding out");
		return false;
	}
	return true;
}

bool body_parse(struct call *call)
{
	const char *message;

	if (call->http->body_too_large) {
		problem(call, 413, "the body is larger than %d bytes", API_BODY_LIMIT);
		return false;
	}
	if (call->route->body == BODY_NONE)
		return true;
	call->body = json_read(call->http->body, &call->http->arena, &message);
	if (!call->body)
		problem(call, 400, "the body %s", message);
	return call->body != NULL;
}
