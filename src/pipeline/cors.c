/* SPDX-License-Identifier: MIT */
/* Answers to pages of other origins (Fetch standard, "CORS protocol"). Pages set the header
 * Authorization themselves. What the standard calls credentials, such as cookies, is never
 * allowed. */
#include "pipeline_private.h"
#include "base/url.h"

/* Headers that a page may send or read, without those that the standard always allows. */
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer"
#define EXPOSED_HEADERS                                                                   \
	"Accept-Patch, Allow, Docket-Ignored, ETag, Link, Location, Preference-Applied, " \
	"RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
#define MAX_AGE "7200" /* seconds for which a browser keeps a preflight; Chromium's limit */

/* The header Origin; empty: there is none, or its origin is not allowed. */
static struct slice cors_allowed_origin(const struct app *app, const struct http_request *http)
{
	struct slice origin = http_header(http, "Origin"), entry;

	for (const char *list = app->cors_origins; origin.len && url_list_next(&list, &entry);)
		if (entry.len == origin.len && strncasecmp(entry.ptr, origin.ptr, entry.len) == 0)
			return origin;
	return (struct slice){NULL, 0};
}

static bool cors_has_preflight_form(const struct http_request *http)
{
	return http->method && strcmp(http->method, "OPTIONS") == 0 &&
	       http_header(http, "Access-Control-Request-Method").ptr;
}

bool cors_is_preflight(const struct call *call)
{
	return cors_has_preflight_form(call->http) &&
	       cors_allowed_origin(call->app, call->http).len;
}

void cors_answer(const struct app *app, struct http_request *http)
{
	const struct call *call = http->app_data;
	struct slice origin;

	if (!app->cors_origins)
		return;
	/* Also in answers to requests without an Origin: a cache must not give these to a page. */
	http_add_header(http, "Vary", "Origin");
	origin = cors_allowed_origin(app, http);
	if (!origin.len)
		return;
	http_add_header(http, "Access-Control-Allow-Origin", origin.ptr);
	if (!call || !cors_has_preflight_form(http)) {
		http_add_header(http, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
		return;
	}
	/* For an unknown path every method is allowed, so that the page can read the 404. */
	http_add_header(http, "Access-Control-Allow-Methods",
			call->match.path_known ? call->match.allow : "*");
	http_add_header(http, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
	http_add_header(http, "Access-Control-Max-Age", MAX_AGE);
}
