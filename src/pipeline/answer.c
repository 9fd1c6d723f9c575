/* SPDX-License-Identifier: MIT */
/* Answers, and headers of answers, that several steps of the pipeline give. */
#include "pipeline_private.h"

void answer_add_retry_after(struct call *call, unsigned seconds)
{
	char *text = arena_printf(&call->http->arena, "%u", seconds);

	if (text)
		http_add_header(call->http, "Retry-After", text);
}

void answer_add_rates(struct call *call)
{
	struct arena *arena = &call->http->arena;
	const char *policy = rates_policy(&call->rate, arena),
		   *left = rates_left(&call->rate, arena);

	if (!policy || !left || !*policy)
		return;
	http_add_header(call->http, "RateLimit-Policy", policy);
	http_add_header(call->http, "RateLimit", left);
}

void answer_add_accept_patch(struct call *call)
{
	http_add_header(call->http, "Accept-Patch",
			"application/merge-patch+json, application/json");
}

/* RFC 9110, section 10.2.1, and RFC 5789, section 3.1. */
void answer_add_allow(struct call *call)
{
	const struct match *match = &call->match;

	http_add_header(call->http, "Allow", match->allow);
	if (match->path && strstr(match->allow, "PATCH"))
		answer_add_accept_patch(call);
}

void answer_no_path(struct call *call)
{
	const char *meant = route_meant(call);

	if (meant)
		problem(call, PROBLEM_NO_PATH,
			"no such path; it has two slashes in a row: ask for %s", meant);
	else
		problem(call, PROBLEM_NO_PATH, "no such path");
}

void answer_options(struct call *call)
{
	if (!call->match.path_known && !cors_is_preflight(call)) {
		answer_no_path(call);
		return;
	}
	if (call->match.path_known)
		answer_add_allow(call);
	call->http->response.status = 204;
}

bool answer_add_etag(struct call *call, int64_t change)
{
	char *etag = version_tag(call, change);

	if (!etag)
		return false;
	http_add_header(call->http, "Content-Type", "application/json");
	http_add_header(call->http, "ETag", etag);
	/* Asks proxies not to compress the answer, because that changes the tag (RFC 9111, section
	 * 5.2.2.6). */
	http_add_header(call->http, "Cache-Control", "no-transform");
	return true;
}

void answer_record(struct call *call, int64_t change, int64_t created)
{
	struct http_response *response = &call->http->response;
	const char *location = NULL;

	if (call->dry_run) {
		http_add_header(call->http, "Content-Type", "application/json");
		created = ID_NONE;
	} else if (created != ID_NONE) {
		location = link_record(call, created);
	}
	if (response->body.failed || (created != ID_NONE && !location) ||
	    (!call->dry_run && !answer_add_etag(call, change))) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	if (location)
		http_add_header(call->http, "Location", location);
	response->status = location ? 201 : 200;
}
