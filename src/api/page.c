/* SPDX-License-Identifier: MIT */
/* The pages of a list: their cursors, and the links between them. */
#include "api_private.h"

/* A cursor is only for one account and one kind of record. */
static struct slice cursor_purpose(struct call *call)
{
	return slice_of(arena_printf(&call->http->arena, "cursor %lld %s",
				     (long long)call->scope.account_id,
				     record_types[call->route->kind]->name));
}

static struct cursor cursor_of(const struct list_request *list)
{
	struct cursor cursor = {.sort_row = list->sort_row, .descending = list->query.descending};

	memcpy(cursor.filters, list->filters, sizeof(cursor.filters));
	return cursor;
}

char *cursor_write(struct call *call, const struct list_position *position)
{
	struct cursor cursor = cursor_of(call->request);
	struct slice purpose = cursor_purpose(call);

	cursor.position = *position;
	return purpose.ptr ? cursor_encode(cursor_key(call), purpose, &cursor, &call->http->arena)
			   : NULL;
}

enum err cursor_read(struct call *call, struct slice text, unsigned parts)
{
	struct list_request *list = call->request;
	struct cursor *cursor = arena_alloc(&call->http->arena, sizeof(*cursor));
	struct slice purpose = cursor_purpose(call);
	struct cursor requested = cursor_of(list);
	enum err err;

	if (!cursor || !purpose.ptr)
		return ERR_NOMEM;
	err = cursor_decode(cursor_key(call), purpose, text, &call->http->arena, cursor);
	if (err == ERR_INVALID)
		faults_add(&call->faults, "after", FAULT_FORMAT,
			   "must be taken unchanged from the link to the next page");
	else if (err == ERR_SCHEMA)
		faults_add(&call->faults, "after", FAULT_NOT_ALLOWED,
			   "comes from another version of docket; start again at the first page");
	if (err)
		return err == ERR_NOMEM ? err : OK;
	cursor_compare(cursor, &requested, parts, &call->faults);
	list->sort_row = cursor->sort_row;
	list->query.descending = cursor->descending;
	list->query.after = &cursor->position;
	return OK;
}

/* Adds a text to a link. Characters that may have a meaning in a query are percent-encoded (RFC
 * 3986, section 3.4). */
static void link_add_encoded(struct slice text, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c && strchr("-._~,:", c)))
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%c%c", hex[c >> 4], hex[c & 15]);
	}
}

/* Adds a link to another page of the same list. */
static void links_add(struct call *call, const char *relation, const char *name, const char *value,
		      struct buf *out)
{
	size_t count = 0;

	buf_printf(out, "%s<%s%s", out->len ? ", " : "", link_base(call), call->route->path);
	for (const struct param *param = call->params; param; param = param->next) {
		if (slice_is(param->base, "page") || slice_is(param->base, "after"))
			continue;
		buf_add_char(out, count++ ? '&' : '?');
		link_add_encoded(slice_of(param->name), out);
		buf_add_char(out, '=');
		link_add_encoded(param->value, out);
	}
	if (name)
		buf_printf(out, "%c%s=%s", count ? '&' : '?', name, value);
	buf_printf(out, ">; rel=\"%s\"", relation);
}

enum err page_links(struct call *call, const struct list_position *position, bool empty)
{
	const struct list_request *list = call->request;
	size_t most = http_header_room(call->http, "Link");
	struct buf links = {0}, next = {0};
	char number[24], *copy = NULL;
	const char *cursor = position ? cursor_write(call, position) : "";
	enum err err = ERR_NOMEM;

	if (!link_base(call))
		return err;
	links_add(call, "first", NULL, NULL, &links);
	/* From a page past the end, nobody knows which page before has records. */
	if (list->page > 1 && !empty) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)list->page - 1);
		links_add(call, "prev", "page", number, &links);
	}
	if (position && cursor) {
		links_add(call, "next", "after", cursor, &next);
		links_add(call, "next", "after", cursor, &links);
	}
	/* If there is not room for all links, only next is kept. */
	if (links.len > most) {
		buf_clear(&links);
		buf_add_slice(&links, buf_slice(&next));
	}
	/* Without this link a client would take the page for the last one. */
	if (position && next.len > most)
		err = ERR_INVALID;
	else if (cursor && !links.failed && !next.failed)
		copy = arena_copy(&call->http->arena, buf_slice(&links));
	if (copy) {
		err = OK;
		if (links.len && links.len <= most)
			http_add_header(call->http, "Link", copy);
	}
	buf_release(&links);
	buf_release(&next);
	return err;
}
