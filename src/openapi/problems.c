/* SPDX-License-Identifier: MIT */
/* The answers to requests that fail: one row for each status. Their problems are examples. 405 has
 * no row, because a request that the document describes cannot get it. */
#include "base/array.h"
#include "openapi_private.h"

/* Which requests can get an answer. */
enum reach {
	REACH_ALL,
	REACH_ACCESS,  /* those that need access */
	REACH_RECORD,  /* those whose path names a record */
	REACH_BODY,    /* those with a body */
	REACH_WRITE,   /* those that write */
	REACH_MATCH,   /* those that change or delete a record */
	REACH_CHANGES, /* those that go through the changes of the account */
};

static const struct failure {
	unsigned status;
	enum reach reach;
	const char *key;    /* in the components */
	const char *header; /* NULL: none */
} failures[] = {
	{400, REACH_ALL, "BadRequest", NULL},
	{401, REACH_ACCESS, "Unauthorized", "WWW-Authenticate"},
	{403, REACH_ACCESS, "Forbidden", NULL},
	{404, REACH_RECORD, "NotFound", NULL},
	{409, REACH_WRITE, "Conflict", "Retry-After"},
	{410, REACH_CHANGES, "Gone", NULL},
	{412, REACH_MATCH, "PreconditionFailed", NULL},
	{413, REACH_BODY, "ContentTooLarge", NULL},
	{414, REACH_ALL, "UriTooLong", NULL},
	{415, REACH_BODY, "UnsupportedMediaType", NULL},
	{422, REACH_WRITE, "UnprocessableContent", NULL},
	{429, REACH_ACCESS, "TooManyRequests", "Retry-After"},
	{431, REACH_ALL, "RequestHeaderFieldsTooLarge", NULL},
	{500, REACH_ALL, "InternalServerError", NULL},
	{503, REACH_ALL, "ServiceUnavailable", "Retry-After"},
	{505, REACH_ALL, "HttpVersionNotSupported", NULL},
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
	case REACH_CHANGES:
		return route->answer == ANSWER_CHANGES;
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
