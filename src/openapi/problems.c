/* SPDX-License-Identifier: MIT */
/* The answers to requests that fail: one row for each status. Their problems are examples. 405 has
 * no row, because a request that the document describes cannot get it. */
#include "base/array.h"
#include "openapi_private.h"

/* Which requests can get an answer. */
enum reach {
	REACH_ALL,
	REACH_ACCESS, /* those that need access */
	REACH_RECORD, /* those whose path names a record */
	REACH_BODY,   /* those with a body */
	REACH_WRITE,  /* those that write */
	REACH_MATCH,  /* those that change or delete a record */
};

static const struct failure {
	unsigned status;
	const char *key; /* in the components */
	enum reach reach;
	const char *header; /* NULL: none */
} failures[] = {
	{400, "BadRequest", REACH_ALL, NULL},
	{401, "Unauthorized", REACH_ACCESS, "WWW-Authenticate"},
	{403, "Forbidden", REACH_ACCESS, NULL},
	{404, "NotFound", REACH_RECORD, NULL},
	{409, "Conflict", REACH_WRITE, "Retry-After"},
	{412, "PreconditionFailed", REACH_MATCH, NULL},
	{413, "ContentTooLarge", REACH_BODY, NULL},
	{414, "UriTooLong", REACH_ALL, NULL},
	{415, "UnsupportedMediaType", REACH_BODY, NULL},
	{422, "UnprocessableContent", REACH_WRITE, NULL},
	{429, "TooManyRequests", REACH_ACCESS, "Retry-After"},
	{431, "RequestHeaderFieldsTooLarge", REACH_ALL, NULL},
	{500, "InternalServerError", REACH_ALL, NULL},
	{503, "ServiceUnavailable", REACH_ALL, "Retry-After"},
	{505, "HttpVersionNotSupported", REACH_ALL, NULL},
};

static bool route_reaches(const struct route *route, enum reach reach)
{
	bool write = strcmp(route->method, "GET") != 0;

	switch (reach) {
	case REACH_ACCESS:
		return !route->open;
	case REACH_RECORD:
		return strchr(route->path, '{');
	case REACH_BODY:
		return route->body == BODY_JSON;
	case REACH_WRITE:
		return write;
	case REACH_MATCH:
		return write && strchr(route->path, '{');
	default:
		return true;
	}
}

void put_problems(const struct route *route, json_t *responses)
{
	for (size_t i = 0; i < COUNT_OF(failures); i++)
		if (route_reaches(route, failures[i].reach)) {
			char status[16];

			snprintf(status, sizeof(status), "%u", failures[i].status);
			put(responses, status, reference("responses", failures[i].key));
		}
}

/* An example, whose summary is the cause of the problem. */
static json_t *problem_sample(enum problem_code code)
{
	struct arena arena = {0};
	struct buf out = {0};
	json_t *text, *sample;

	problem_example(code, &arena, &out);
	text = buf_text(&out);
	sample = PACK("{s:o,s:s,s:o}", "summary", sentence(problem_rows[code].cause), "description",
		      problem_rows[code].cure, "value", parsed(json_string_value(text)));
	json_decref(text);
	arena_release(&arena);
	return sample;
}

/* The problems of the status are its examples. */
static json_t *failure_response(const struct failure *failure)
{
	json_t *headers = PACK("{s:o}", "X-Request-Id", reference("headers", "X-Request-Id"));
	json_t *samples = PACK("{}");

	for (enum problem_code i = 0; i < PROBLEM_CODES; i++)
		if (problem_rows[i].status == failure->status)
			put(samples, problem_rows[i].code, problem_sample(i));
	if (failure->header)
		put(headers, failure->header, reference("headers", failure->header));
	return PACK("{s:s,s:o,s:{s:{s:o,s:o}}}", "description", http_reason(failure->status),
		    "headers", headers, "content", "application/problem+json", "schema",
		    reference("schemas", "Problem"), "examples", samples);
}

json_t *problem_responses(void)
{
	json_t *all = PACK("{}");

	for (size_t i = 0; i < COUNT_OF(failures); i++)
		put(all, failures[i].key, failure_response(&failures[i]));
	return all;
}
