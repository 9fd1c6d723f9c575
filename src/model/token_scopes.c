/* SPDX-License-Identifier: MIT */
/* The names of scopes, and their bits. */
#include "model/token_scopes.h"

#include "base/array.h"

#define ALL RECORD_KINDS

/* The order is stored, so a new row goes to the end. The scopes of row N have the bits 2 * N, which
 * reads, and 2 * N + 1, which writes. */
static const struct scope_row {
	size_t kind;
	const char *reads, *writes;
} rows[] = {
	{ALL, "all:read", "all:write"},
	{RECORD_TASK, "tasks:read", "tasks:write"},
	{RECORD_CASEFILE, "cases:read", "cases:write"},
	{RECORD_SUBJECT, "subjects:read", "subjects:write"},
	{RECORD_STAFF, "staff:read", "staff:write"},
	{RECORD_CALENDAR, "calendars:read", "calendars:write"},
	{RECORD_CASE_SERVICE, "case_services:read", "case_services:write"},
};
_Static_assert(COUNT_OF(rows) == RECORD_KINDS + 1, "every kind has its scopes");

static token_scopes row_scope(size_t row, bool writes)
{
	return (token_scopes)1 << (2 * row + writes);
}

token_scopes token_scope(enum record_kind kind, bool writes)
{
	size_t row = 0;

	while (rows[row].kind != kind)
		row++;
	return row_scope(row, writes);
}

token_scopes token_scopes_to_read(void)
{
	token_scopes scopes = TOKEN_SCOPES_NONE;

	for (size_t row = 1; row < COUNT_OF(rows); row++)
		scopes |= row_scope(row, false);
	return scopes;
}

token_scopes token_scopes_lacking(token_scopes have, token_scopes need)
{
	token_scopes lacking = TOKEN_SCOPES_NONE;

	for (size_t row = 0; row < COUNT_OF(rows); row++) {
		token_scopes reads = row_scope(row, false), writes = row_scope(row, true);

		if (!(have & (writes | TOKEN_SCOPES_WRITE_ALL)))
			lacking |= need & writes;
		if (!(have & (reads | writes | TOKEN_SCOPES_READ_ALL | TOKEN_SCOPES_WRITE_ALL)))
			lacking |= need & reads;
	}
	return lacking;
}

static token_scopes expansion_scope(const struct expansion *expansion)
{
	enum record_kind kind = 0;

	while (record_types[kind] != expansion->type)
		kind++;
	return token_scope(kind, false);
}

token_scopes token_scopes_of(const struct record_lists *lists, uint32_t expansions)
{
	token_scopes scopes = TOKEN_SCOPES_NONE;

	for (size_t row = 0; row < lists->expansion_count; row++)
		if (expansions & UINT32_C(1) << row)
			scopes |= expansion_scope(&lists->expansions[row]);
	return scopes;
}

uint32_t token_scopes_allow(token_scopes scopes, const struct record_lists *lists,
			    uint32_t expansions)
{
	for (size_t row = 0; row < lists->expansion_count; row++)
		if (token_scopes_lacking(scopes, expansion_scope(&lists->expansions[row])))
			expansions &= ~(UINT32_C(1) << row);
	return expansions;
}

bool token_scopes_only_read(token_scopes scopes)
{
	bool only_read = true;

	for (size_t row = 0; row < COUNT_OF(rows); row++)
		only_read = only_read && !(scopes & row_scope(row, true));
	return only_read;
}

static token_scopes scope_named(struct slice name)
{
	for (size_t row = 0; row < COUNT_OF(rows); row++) {
		if (slice_is(name, rows[row].reads))
			return row_scope(row, false);
		if (slice_is(name, rows[row].writes))
			return row_scope(row, true);
	}
	return TOKEN_SCOPES_NONE;
}

bool token_scopes_read(const char *list, token_scopes *scopes_out, struct slice *wrong_out)
{
	token_scopes scopes = TOKEN_SCOPES_NONE, one;
	struct slice name;

	do {
		name = (struct slice){list, strcspn(list, ",")};
		one = scope_named(name);
		scopes |= one;
		list += name.len + 1;
	} while (one && name.ptr[name.len]);
	if (one)
		*scopes_out = scopes;
	else
		*wrong_out = name;
	return one != TOKEN_SCOPES_NONE;
}

void token_scopes_each(token_scopes scopes, void (*on_name)(void *context, const char *name),
		       void *context)
{
	for (size_t row = 0; row < COUNT_OF(rows); row++) {
		if (scopes & row_scope(row, false))
			on_name(context, rows[row].reads);
		if (scopes & row_scope(row, true))
			on_name(context, rows[row].writes);
	}
}

struct name_writer {
	struct buf *out;
	const char *between, *before;
};

static void name_write(void *context, const char *name)
{
	struct name_writer *writer = context;

	buf_add_text(writer->out, writer->before);
	buf_add_text(writer->out, name);
	writer->before = writer->between;
}

void token_scopes_write(token_scopes scopes, const char *between, struct buf *out)
{
	struct name_writer writer = {out, between, ""};

	token_scopes_each(scopes, name_write, &writer);
}
