/* SPDX-License-Identifier: MIT */
/* The body of a request and the headers that describe it. */
#include "pipeline_private.h"
#include "http/header_items.h"
#include "json/read.h"

/* "application/json" or "application/….+json", with no charset but UTF-8. */
static bool media_type_is_json(struct slice type)
{
	struct slice essence, parameter, value;

	header_next(&type, ';', &essence);
	while (header_next(&type, ';', &parameter))
		if (slice_is_nocase(header_parameter(parameter, &value), "charset") &&
		    !slice_is_nocase(value, "utf-8"))
			return false;
	/* A JSON Patch (RFC 6902) is an array of operations, not an object with fields. */
	if (slice_is_nocase(essence, "application/json-patch+json"))
		return false;
	return slice_is_nocase(essence, "application/json") ||
	       (essence.len > 17 && strncasecmp(essence.ptr, "application/", 12) == 0 &&
		strncasecmp(essence.ptr + essence.len - 5, "+json", 5) == 0);
}

bool body_takes_type(struct slice type)
{
	return !type.len || media_type_is_json(type);
}

bool body_takes_coding(struct slice coding)
{
	return !coding.len || slice_is_nocase(coding, "identity");
}

bool body_check_headers(struct call *call)
{
	bool patch = strcmp(call->http->method, "PATCH") == 0;

	if (call->route->body == BODY_NONE)
		return true;
	if (!body_takes_type(http_header(call->http, "Content-Type"))) {
		if (patch)
			answer_add_accept_patch(call); /* RFC 5789, section 2.2 */
		problem(call, PROBLEM_MEDIA_TYPE,
			"the header Content-Type must be application/json%s, with no charset but "
			"utf-8",
			patch ? " or application/merge-patch+json" : "");
		return false;
	}
	if (!body_takes_coding(http_header(call->http, "Content-Encoding"))) {
		problem(call, PROBLEM_MEDIA_TYPE,
			"the body must not be compressed: leave the header Content-Encoding out");
		return false;
	}
	return true;
}

bool body_parse(struct call *call)
{
	const char *message;

	if (call->http->body_too_large) {
		problem(call, PROBLEM_BODY_SIZE, "the body is larger than %d bytes",
			API_BODY_LIMIT);
		return false;
	}
	if (call->route->body == BODY_NONE)
		return true;
	if (!admit_tree(call))
		return false;
	call->body = json_read(call->http->body, &call->http->arena, &message);
	if (!call->body)
		problem(call, PROBLEM_MALFORMED_JSON, "the body %s", message);
	return call->body != NULL;
}
