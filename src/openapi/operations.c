/* SPDX-License-Identifier: MIT */
/* The paths of the document, from the table of routes. */
#include <assert.h>
#include <ctype.h>

#include "openapi_private.h"

/* The part of the document that a route is in. */
static json_t *route_tag(const struct route *route)
{
	if (route->open)
		return PACK("s", "server");
	if (route->answer == ANSWER_ME || route->answer == ANSWER_CHANGES)
		return PACK("s", "account");
	return worded("{records}", record_types[route->kind]);
}

static void add_name(void *context, const char *name)
{
	add(context, PACK("s", name));
}

static json_t *route_scope_names(const struct route *route)
{
	json_t *names = PACK("[]");

	token_scopes_each(route_scopes(route), add_name, names);
	return names;
}

static json_t *operation(const struct route *route)
{
	const struct record_type *type = record_types[route->kind];
	json_t *operation;
	json_t *responses = PACK("{}");

	assert(route->operation && route->summary && route->answer != ANSWER_UNDESCRIBED);
	operation = PACK("{s:o,s:o,s:[o]}", "operationId", worded(route->operation, type),
			 "summary", worded(route->summary, type), "tags", route_tag(route));
	if (route->help)
		put(operation, "description", worded(route->help, type));
	if (route->open)
		put(operation, "security", PACK("[]"));
	else
		put(operation, "x-scopes", route_scope_names(route));
	put(operation, "parameters", operation_parameters(route));
	if (route->body == BODY_JSON)
		put(operation, "requestBody", request_body(route));
	put_answers(route, responses);
	put_problems(route, responses);
	put(operation, "responses", responses);
	return operation;
}

const json_t *body_example(const json_t *operation)
{
	const json_t *content =
		json_object_get(json_object_get(operation, "requestBody"), "content");

	return json_object_get(json_object_get(content, "application/json"), "example");
}

json_t *paths(const struct route_table *routes)
{
	json_t *all = PACK("{}");

	for (size_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->rows[i];
		json_t *path = json_object_get(all, route->path);
		char method[16] = {0};

		if (!path) {
			path = strchr(route->path, '{')
				       ? PACK("{s:[o]}", "parameters", path_parameter(route->path))
				       : PACK("{}");
			put(all, route->path, path);
		}
		for (size_t j = 0; route->method[j] && j + 1 < sizeof(method); j++)
			method[j] = (char)tolower((unsigned char)route->method[j]);
		put(path, method, operation(route));
	}
	return all;
}
