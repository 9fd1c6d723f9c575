/* SPDX-License-Identifier: MIT */
/* Encodes and decodes cursors, and checks whether one belongs to a list. */
#include "cursor.h"

#include "base/buf.h"

/* The version of a cursor's payload. Raise it when the payload's form changes, or the rows of
 * sorts, or the form of the filters that the digest is made of (list_params.c). */
#define CURSOR_VERSION 1
#define DESCENDING 1
#define NO_VALUE 2

struct payload {
	unsigned char version;
	unsigned char sort_row;
	unsigned char marks;
	unsigned char filters[SEAL_DIGEST_BYTES];
	unsigned char id[8]; /* most significant byte first, as in `integer` */
	unsigned char integer[8];
	/* The text follows, if the list is sorted by a text. */
};

static void payload_put_number(int64_t value, unsigned char bytes[8])
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
}

static int64_t payload_take_number(const unsigned char bytes[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

char *cursor_encode(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose,
		    const struct cursor *cursor, struct arena *arena)
{
	struct payload payload = {
		.version = CURSOR_VERSION,
		.sort_row = (unsigned char)cursor->sort_row,
		.marks = (unsigned char)((cursor->descending ? DESCENDING : 0) |
					 (cursor->position.null ? NO_VALUE : 0)),
	};
	struct buf bytes = {0};
	char *text = NULL;

	memcpy(payload.filters, cursor->filters, sizeof(payload.filters));
	payload_put_number(cursor->position.id, payload.id);
	payload_put_number(cursor->position.integer, payload.integer);
	buf_add(&bytes, &payload, sizeof(payload));
	buf_add_slice(&bytes, cursor->position.text);
	if (!bytes.failed)
		text = seal(key, purpose, buf_slice(&bytes), arena);
	buf_release(&bytes);
	return text;
}

enum err cursor_decode(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose,
		       struct slice text, struct arena *arena, struct cursor *cursor_out)
{
	struct payload payload;
	struct slice bytes;
	enum err err = unseal(key, purpose, text, arena, &bytes);

	if (err)
		return err;
	if (bytes.len < sizeof(payload))
		return ERR_INVALID;
	memcpy(&payload, bytes.ptr, sizeof(payload));
	if (payload.version != CURSOR_VERSION)
		return ERR_SCHEMA;
	*cursor_out = (struct cursor){
		.sort_row = payload.sort_row,
		.descending = payload.marks & DESCENDING,
		.position = {.id = payload_take_number(payload.id),
			     .null = payload.marks & NO_VALUE,
			     .integer = payload_take_number(payload.integer),
			     .text = {bytes.ptr + sizeof(payload), bytes.len - sizeof(payload)}},
	};
	memcpy(cursor_out->filters, payload.filters, sizeof(cursor_out->filters));
	return OK;
}

void cursor_compare(const struct cursor *cursor, const struct cursor *list, unsigned parts,
		    struct faults *faults)
{
	if (cursor->sort_row == list->sort_row)
		parts &= ~CURSOR_SORT;
	if (cursor->descending == list->descending)
		parts &= ~CURSOR_DIR;
	if (memcmp(cursor->filters, list->filters, sizeof(list->filters)) == 0)
		parts &= ~CURSOR_FILTERS;
	if (parts & CURSOR_SORT)
		faults_add(faults, "after", FAULT_NOT_ALLOWED,
			   "belongs to a list with another sort");
	if (parts & CURSOR_DIR)
		faults_add(faults, "after", FAULT_NOT_ALLOWED,
			   "belongs to a list with another dir");
	if (parts & CURSOR_FILTERS)
		faults_add(faults, "after", FAULT_NOT_ALLOWED,
			   "belongs to a list with other filters");
}
