/* SPDX-License-Identifier: MIT */
/* Cursors, and the links between the pages of a list. */
#include "api_private.h"

/* The form of a cursor's payload: it rises when the form changes, the rows of sorts, or what the
 * digest of filters is made of (list_params.c). */
#define CURSOR_VERSION 1
#define DESCENDING 1
#define NO_VALUE 2

struct cursor {
	unsigned char version;
	unsigned char sort_row;
	unsigned char marks;
	unsigned char filters[SEAL_DIGEST_BYTES];
	unsigned char id[8]; /* most significant byte first, as the next */
	unsigned char integer[8];
	/* Behind it: the text, where the sort is one. */
};

static void cursor_put_number(int64_t value, unsigned char bytes[8])
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
}

static int64_t cursor_take_number(const unsigned char bytes[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

/* A cursor is of one account's list of one kind. */
static struct slice cursor_purpose(struct call *call)
{
	return slice_of(arena_printf(&call->http->arena, "cursor %lld %s",
				     (long long)call->scope.account_id,
				     record_types[call->route->kind]->name));
}

char *cursor_write(struct call *call, const struct list_position *position)
{
	const struct list_request *list = &call->list;
	struct cursor cursor = {
		.version = CURSOR_VERSION,
		.sort_row = (unsigned char)list->sort_row,
		.marks = (unsigned char)((list->query.descending ? DESCENDING : 0) |
					 (position->null ? NO_VALUE : 0)),
	};
	struct slice purpose = cursor_purpose(call);
	struct buf payload = {0};
	char *text = NULL;

	memcpy(cursor.filters, list->filters, sizeof(cursor.filters));
	cursor_put_number(position->id, cursor.id);
	cursor_put_number(position->integer, cursor.integer);
	buf_add(&payload, &cursor, sizeof(cursor));
	buf_add_slice(&payload, position->text);
	if (purpose.ptr && !payload.failed)
		text = seal(call->app->cursor_key, purpose, buf_slice(&payload),
			    &call->http->arena);
	buf_release(&payload);
	return text;
}

static void cursor_refuse(struct call *call, const char *why)
{
	faults_add(&call->faults, "after", FAULT_NOT_ALLOWED, "%s", why);
}

enum err cursor_read(struct call *call, struct slice text, bool sort_given, bool dir_given,
		     bool filter_at_fault)
{
	struct list_request *list = &call->list;
	struct list_position *position = arena_alloc(&call->http->arena, sizeof(*position));
	struct slice purpose = cursor_purpose(call), payload;
	struct cursor cursor;
	enum err err;

	if (!position || !purpose.ptr)
		return ERR_NOMEM;
	err = unseal(call->app->cursor_key, purpose, text, &call->http->arena, &payload);
	if (err == ERR_INVALID || (!err && payload.len < sizeof(cursor))) {
		faults_add(&call->faults, "after", FAULT_FORMAT,
			   "must be taken unchanged from the link to the next page");
		return OK;
	}
	if (err)
		return err;
	memcpy(&cursor, payload.ptr, sizeof(cursor));
	if (cursor.version != CURSOR_VERSION) {
		cursor_refuse(
			call,
			"comes from another version of docket; start again at the first page");
		return OK;
	}
	if (sort_given && cursor.sort_row != list->sort_row)
		cursor_refuse(call, "belongs to a list with another sort");
	if (dir_given && list->query.descending != (cursor.marks & DESCENDING))
		cursor_refuse(call, "belongs to a list with another dir");
	/* Filters that are at fault are not other ones. */
	if (!filter_at_fault && memcmp(cursor.filters, list->filters, sizeof(list->filters)) != 0)
		cursor_refuse(call, "belongs to a list with other filters");
	list->sort_row = cursor.sort_row;
	list->query.descending = cursor.marks & DESCENDING;
	*position = (struct list_position){
		.id = cursor_take_number(cursor.id),
		.null = cursor.marks & NO_VALUE,
		.integer = cursor_take_number(cursor.integer),
		.text = {payload.ptr + sizeof(cursor), payload.len - sizeof(cursor)},
	};
	list->query.after = position;
	return OK;
}

/* As it may stand in a link: everything else is encoded (RFC 3986, section 3.4). */
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

/* The list as it was asked for, at another page. */
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
	size_t most = http_header_room(call->http, "Link");
	struct buf links = {0}, next = {0};
	char number[24], *copy = NULL;
	const char *cursor = position ? cursor_write(call, position) : "";
	enum err err = ERR_NOMEM;

	if (!link_base(call))
		return err;
	links_add(call, "first", NULL, NULL, &links);
	/* Which page past the end has records is not known. */
	if (call->list.page > 1 && !empty) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)call->list.page - 1);
		links_add(call, "prev", "page", number, &links);
	}
	if (position && cursor) {
		links_add(call, "next", "after", cursor, &next);
		links_add(call, "next", "after", cursor, &links);
	}
	/* The way on is kept for longest. */
	if (links.len > most) {
		buf_clear(&links);
		buf_add_slice(&links, buf_slice(&next));
	}
	/* A client that saw none would take this page for the last. */
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
