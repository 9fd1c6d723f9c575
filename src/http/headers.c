/* SPDX-License-Identifier: MIT */
/* The headers of requests, which libmicrohttpd keeps, and of answers. */
#include <assert.h>
#include <microhttpd.h>

#include "http/http.h"
#include "room.h"

struct slice http_header(const struct http_request *request, const char *name)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
					  &value, &len) != MHD_YES)
		return (struct slice){NULL, 0};
	return (struct slice){value ? value : "", len};
}

struct list {
	const char *name;
	struct buf values;
};

static enum MHD_Result list_add_value(void *context, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	struct list *list = context;

	(void)kind;
	if (strcasecmp(name, list->name) == 0)
		buf_printf(&list->values, "%s%s", list->values.len ? "," : "", value ? value : "");
	return MHD_YES;
}

enum err http_header_list(struct http_request *request, const char *name, struct slice *list_out)
{
	struct list list = {.name = name};
	char *copy;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, list_add_value, &list);
	copy = list.values.failed ? NULL : arena_copy(&request->arena, buf_slice(&list.values));
	if (copy)
		*list_out = (struct slice){copy, list.values.len};
	buf_release(&list.values);
	return copy ? OK : ERR_NOMEM;
}

struct wanted {
	const char *name;
	const char *token;
	bool found;
};

static enum MHD_Result wanted_look(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct wanted *wanted = context;
	size_t len;

	(void)kind;
	if (strcasecmp(name, wanted->name) != 0)
		return MHD_YES;
	for (const char *at = value ? value : ""; *at; at += len) {
		at += strspn(at, " \t,");
		len = strcspn(at, " \t,");
		wanted->found |= slice_is_nocase((struct slice){at, len}, wanted->token);
	}
	return MHD_YES;
}

bool http_header_has(const struct http_request *request, const char *name, const char *token)
{
	struct wanted wanted = {.name = name, .token = token};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, wanted_look, &wanted);
	return wanted.found;
}

struct ip http_peer(const struct http_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return ip_of_socket(info ? info->client_addr : NULL);
}

size_t http_header_room(const struct http_request *request, const char *name)
{
	struct room room = room_of(request->connection, request->trailers);
	size_t left = room_left(&room), form = strlen(name) + strlen(": \r\n");

	return left > form ? left - form : 0;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
	struct http_response *response = &request->response;

	assert(response->header_count < HTTP_HEADERS_MAX);
	response->headers[response->header_count++] = (struct http_header){name, value};
}
