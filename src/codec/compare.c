/* SPDX-License-Identifier: MIT */
/* Compares two JSON forms of a record. */
#include <stdio.h>
#include <string.h>

#include "codec/codec.h"
#include "json/write.h"

bool encoded_differs(struct slice then, struct slice now, char name[64])
{
	json_t *before, *after, *value;
	const char *key, *first = NULL;

	/* Nearly always they are the same bytes. */
	if (slice_eq(then, now))
		return false;
	before = json_loadb(then.ptr ? then.ptr : "", then.len, JSON_REJECT_DUPLICATES, NULL);
	after = json_loadb(now.ptr ? now.ptr : "", now.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(before) || !json_is_object(after))
		first = "all of it";
	else
		json_object_foreach (before, key, value) {
			if (first || json_equal(value, json_object_get(after, key)))
				continue;
			first = key;
		}
	if (first)
		snprintf(name, 64, "%s", first);
	json_decref(before);
	json_decref(after);
	return first;
}

static int add_bytes(const char *bytes, size_t len, void *context)
{
	buf_add(context, bytes, len);
	return 0;
}

static void put_value(struct buf *out, const char *key, const json_t *value)
{
	struct buf text = {0};

	json_put_key(out, key);
	if (json_is_string(value)) {
		json_put_text(out,
			      (struct slice){json_string_value(value), json_string_length(value)});
		return;
	}
	if (value)
		json_dump_callback(value, add_bytes, &text, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text.len)
		json_put_raw(out, buf_slice(&text));
	else
		json_put_null(out);
	out->failed |= text.failed;
	buf_release(&text);
}

static void put_change(struct buf *out, const char *name, const json_t *from, const json_t *to)
{
	json_put_key(out, name);
	json_open_object(out);
	put_value(out, "from", from);
	put_value(out, "to", to);
	json_close_object(out);
}

static bool is_nothing(const json_t *value)
{
	return !value || json_is_null(value);
}

static bool is_same(const json_t *from, const json_t *to)
{
	return is_nothing(from) ? is_nothing(to) : json_equal(from, to);
}

/* Members that an entry of the history shows beside its changes. */
static bool is_shown_beside(const char *name)
{
	return strcmp(name, "id") == 0 || strcmp(name, "created_at") == 0 ||
	       strcmp(name, "updated_at") == 0;
}

void encode_changes(const json_t *before, const json_t *after, struct buf *out)
{
	const char *key;
	json_t *value;

	json_open_object(out);
	/* The cast drops const; the object is only read. */
	json_object_foreach ((json_t *)(after ? after : before), key, value) {
		const json_t *from = json_object_get(before, key),
			     *to = json_object_get(after, key);

		if (!is_shown_beside(key) && !is_same(from, to))
			put_change(out, key, from, to);
	}
	json_close_object(out);
}
