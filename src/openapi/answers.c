/* SPDX-License-Identifier: MIT */
/* The bodies that routes take, and their answers if nothing fails. */
#include "base/array.h"
#include "openapi_private.h"

/* Headers of answers. */
static const struct {
	const char *key; /* in the components */
	const char *help;
} headers[] = {
	{"X-Request-Id", "the id of the request, which is also in docket's log"},
	{"ETag", "the version of the record"},
	{"Link", "the pages `first`, `prev` and `next` (RFC 8288)"},
	{"Location", "the path of the new record"},
	{"Retry-After", "after how many seconds to try again"},
	{"RateLimit", "how many requests are left, if the operator limits them"},
	{"RateLimit-Policy", "how many requests are allowed, if the operator limits them"},
	{"WWW-Authenticate", "how to get access"},
};

json_t *answer_headers(void)
{
	json_t *all = PACK("{}");

	for (size_t i = 0; i < COUNT_OF(headers); i++)
		put(all, headers[i].key,
		    PACK("{s:o,s:{s:s}}", "description", sentence(headers[i].help), "schema",
			 "type", "string"));
	return all;
}

static void put_header(json_t *answer, const char *name)
{
	json_t *all = json_object_get(answer, "headers");

	put(all, name, reference("headers", name));
}

/* An answer with a JSON body; `schema` NULL: without a body. */
static json_t *answer_of(const char *description, json_t *schema)
{
	json_t *answer = PACK("{s:s,s:{}}", "description", description, "headers");

	put_header(answer, "X-Request-Id");
	put_header(answer, "RateLimit");
	put_header(answer, "RateLimit-Policy");
	if (schema)
		put(answer, "content", PACK("{s:{s:o}}", "application/json", "schema", schema));
	return answer;
}

/* An answer that is no JSON. */
static json_t *text_answer(const char *description, const char *type)
{
	json_t *answer = answer_of(description, NULL);

	put(answer, "content", PACK("{s:{s:{s:s}}}", type, "schema", "type", "string"));
	return answer;
}

static json_t *array_of(const char *name)
{
	return PACK("{s:s,s:o}", "type", "array", "items", reference("schemas", name));
}

static json_t *list_answer(const struct record_type *type)
{
	json_t *records =
		PACK("{s:s,s:o}", "type", "array", "items", shape_reference(type, SHAPE_ANSWER));
	json_t *answer =
		answer_of("The records, or with `mode=count` their number.",
			  PACK("{s:[o,o]}", "oneOf", records, reference("schemas", "Count")));

	put_header(answer, "Link");
	return answer;
}

static json_t *record_answer(const struct record_type *type, const char *description)
{
	json_t *answer = answer_of(description, shape_reference(type, SHAPE_ANSWER));

	put_header(answer, "ETag");
	return answer;
}

static void put_created(const struct record_type *type, json_t *responses)
{
	json_t *answer = record_answer(type, "The new record.");

	put_header(answer, "Location");
	/* With the key of an earlier create, a dry run has the answer of that create. */
	put(responses, "200",
	    answer_of(
		    "A dry run: what would be stored, with `id` null. Or the answer to an earlier create with the same `Idempotency-Key`.",
		    PACK("{s:[o,o]}", "anyOf", shape_reference(type, SHAPE_DRY_RUN),
			 shape_reference(type, SHAPE_ANSWER))));
	put(responses, "201", answer);
}

static void put_history(json_t *responses)
{
	json_t *answer = answer_of("The changes of the record.", array_of("HistoryEntry"));

	put_header(answer, "Link");
	put(responses, "200", answer);
}

/* An answer that caches ask for with its tag. */
static void put_cached(json_t *responses, json_t *answer)
{
	put(responses, "200", answer);
	put(responses, "304", answer_of("The client has this version.", NULL));
}

void put_answers(const struct route *route, json_t *responses)
{
	static const struct {
		const char *description, *schema;
	} plain[ANSWER_KINDS] = {
		[ANSWER_CHANGES] = {"The changes.", "Changes"},
		[ANSWER_RESULTS] = {"The task of each operation.", "Results"},
		[ANSWER_ME] = {"Who you are.", "Me"},
		[ANSWER_HEALTH] = {"Yes.", "Health"},
	};
	const struct record_type *type = record_types[route->kind];
	json_t *document;

	switch (route->answer) {
	case ANSWER_NONE:
		put(responses, "204", answer_of("The record is deleted.", NULL));
		break;
	case ANSWER_RECORD:
		put_cached(responses, record_answer(type, "The record."));
		break;
	case ANSWER_CREATED:
		put_created(type, responses);
		break;
	case ANSWER_CHANGED:
		put(responses, "200", record_answer(type, "The record after the change."));
		break;
	case ANSWER_LIST:
		put(responses, "200", list_answer(type));
		break;
	case ANSWER_HISTORY:
		put_history(responses);
		break;
	case ANSWER_ALERTS:
		put(responses, "200", answer_of("The alerts of the task.", array_of("Alert")));
		break;
	case ANSWER_OPENAPI:
		document = answer_of("This document.", PACK("{s:s}", "type", "object"));
		put_header(document, "ETag");
		put_cached(responses, document);
		break;
	case ANSWER_REFERENCE:
		document = text_answer("The reference.", "text/html; charset=utf-8");
		put_header(document, "ETag");
		put_cached(responses, document);
		break;
	case ANSWER_PAGE:
		put(responses, "200", text_answer("The page.", "text/html; charset=utf-8"));
		break;
	case ANSWER_STYLE:
		put(responses, "200", text_answer("The style sheet.", "text/css; charset=utf-8"));
		break;
	case ANSWER_SCRIPT:
		put(responses, "200", text_answer("The script.", "text/javascript; charset=utf-8"));
		break;
	default:
		put(responses, "200",
		    answer_of(plain[route->answer].description,
			      reference("schemas", plain[route->answer].schema)));
	}
}

/* {"task": {…}} */
static json_t *wrapped(const struct record_type *type, enum shape shape)
{
	json_t *example = PACK("{s:o}", type->name, record_example(type, shape));

	return PACK("{s:{s:s,s:{s:o},s:[s],s:b},s:o}", "schema", "type", "object", "properties",
		    type->name, shape_reference(type, shape), "required", type->name,
		    "additionalProperties", 0, "example", example);
}

static json_t *bulk_content(void)
{
	const struct record_type *task = record_types[RECORD_TASK];
	json_t *update = PACK("{s:i,s:s}", "id", 1, "status", "in_progress");

	return PACK("{s:o,s:{s:[{s:o},{s:o}]}}", "schema", reference("schemas", "Operations"),
		    "example", "operations", "create", record_example(task, SHAPE_NEW), "update",
		    update);
}

json_t *request_body(const struct route *route)
{
	const struct record_type *type = record_types[route->kind];
	json_t *content = route->answer == ANSWER_RESULTS   ? bulk_content()
			  : route->answer == ANSWER_CHANGED ? wrapped(type, SHAPE_PATCH)
							    : wrapped(type, SHAPE_NEW);
	json_t *all = PACK("{s:o}", "application/json", content);

	if (route->answer == ANSWER_CHANGED)
		put(all, "application/merge-patch+json", PACK("O", content));
	return PACK("{s:b,s:o}", "required", 1, "content", all);
}
