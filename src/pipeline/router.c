/* SPDX-License-Identifier: MIT */
/* Finds the row of the route table for a path and a method. */
#include "pipeline_private.h"

static bool pattern_matches(const char *pattern, struct slice path, struct slice *id_out)
{
	const char *brace = strchr(pattern, '{'), *end = strchr(pattern, '}');
	struct slice front = slice_of(pattern), back, id;

	if (!brace)
		return slice_eq(path, front);
	front.len = (size_t)(brace - pattern);
	back = slice_of(end + 1);
	if (path.len <= front.len + back.len || memcmp(path.ptr, front.ptr, front.len) != 0 ||
	    memcmp(path.ptr + path.len - back.len, back.ptr, back.len) != 0)
		return false;
	id = (struct slice){path.ptr + front.len, path.len - front.len - back.len};
	if (memchr(id.ptr, '/', id.len))
		return false;
	*id_out = id;
	return true;
}

token_scopes route_scopes(const struct route *route)
{
	if (route->open || route->needs == NEEDS_NOTHING)
		return TOKEN_SCOPES_NONE;
	if (route->needs == NEEDS_EVERY_KIND)
		return token_scopes_to_read();
	return token_scope(route->kind, strcmp(route->method, "GET") != 0);
}

enum err route_find(const struct route_table *routes, struct slice path, const char *method,
		    struct arena *arena, struct match *match_out)
{
	struct match match = {0};
	struct buf allow = {0};
	bool head = strcmp(method, "HEAD") == 0, all = slice_is(path, "*");

	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--; /* a trailing slash is the same resource */
	for (size_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->rows[i];
		bool listed = false;

		if (!all && !pattern_matches(route->path, path, &match.id_text))
			continue;
		/* A path that a row has literally, such as /tasks/bulk, is not the path of a
		 * record. */
		if (match.path && !strchr(match.path, '{') && strchr(route->path, '{'))
			continue;
		match.path_known = true;
		match.open = route->open && !all;
		match.path = all ? NULL : route->path;
		if (strcmp(route->method, head ? "GET" : method) == 0 && !all)
			match.route = route;
		for (size_t j = 0; j < i; j++)
			listed |= all && strcmp(routes->rows[j].method, route->method) == 0;
		if (listed)
			continue;
		buf_add_text(&allow, route->method);
		buf_add_text(&allow, ", ");
		if (strcmp(route->method, "GET") == 0)
			buf_add_text(&allow, "HEAD, ");
	}
	buf_add_text(&allow, "OPTIONS");
	match.allow = allow.failed ? NULL : arena_copy(arena, buf_slice(&allow));
	buf_release(&allow);
	if (!match.allow)
		return ERR_NOMEM;
	*match_out = match;
	return OK;
}

/* A client that joins a base URL with a slash at its end and a path with a slash at its start sends
 * two slashes. */
const char *route_meant(struct call *call)
{
	struct slice path = call->http->path;
	char *single = arena_alloc(&call->http->arena, path.len + 1);
	struct match match;
	size_t len = 0;

	if (!single)
		return NULL;
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] != '/' || len == 0 || single[len - 1] != '/')
			single[len++] = path.ptr[i];
	single[len] = '\0';
	if (len == path.len || route_find(call->app->routes, (struct slice){single, len},
					  call->http->method, &call->http->arena, &match))
		return NULL;
	return match.path_known ? single : NULL;
}
