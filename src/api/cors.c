/* SPDX-License-Identifier: MIT */
/* Answers to pages of other origins (Fetch standard, "CORS protocol"). Credentials are never
 * allowed in its sense, which are cookies and what a browser keeps: a page sends the header
 * Authorization itself. */
#include "api_private.h"
#include "base/url.h"

/* Beyond what every page may send and read. */
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer"
#define EXPOSED_HEADERS                                                                   \
	"Accept-Patch, Allow, Docket-Ignored, ETag, Link, Location, Preference-Applied, " \
	"Retry-After, X-Request-Id"
#define MAX_AGE "7200" /* seconds that a preflight counts; Chromium takes no more */

/* Its header Origin; empty where that is none of those that are allowed. */
static struct slice allowed_origin(const struct app *app, const struct http_request *http)
{
	struct slice origin = http_header(http, "Origin"), entry;

	for (const char *list = app->cors_origins; origin.len && url_list_next(&list, &entry);)
		if (entry.len == origin.len && strncasecmp(entry.ptr, origin.ptr, entry.len) == 0)
			return origin;
	return (struct slice){NULL, 0};
}

static bool asks_before(const struct http_request *http)
{
	return http->method && strcmp(http->method, "OPTIONS") == 0 &&
	       http_header(http, "Access-Control-Request-Method").ptr;
}

bool cors_is_preflight(const struct call *call)
{
	return asks_before(call->http) && allowed_origin(call->app, call->http).len;
}

void cors_answer(const struct app *app, struct http_request *http)
{
	const struct call *call = http->app_data;
	struct slice origin;

	if (!app->cors_origins)
		return;
	/* Also where no origin was named: a cache must not keep that answer for a page. */
	http_add_header(http, "Vary", "Origin");
	origin = allowed_origin(app, http);
	if (!origin.len)
		return;
	http_add_header(http, "Access-Control-Allow-Origin", origin.ptr);
	if (!call || !asks_before(http)) {
		http_add_header(http, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
		return;
	}
	/* An unknown path allows all, so that the page can read the 404. */
	http_add_header(http, "Access-Control-Allow-Methods",
			call->match.path_known ? call->match.allow : "*");
	http_add_header(http, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
	http_add_header(http, "Access-Control-Max-Age", MAX_AGE);
}
