/* SPDX-License-Identifier: MIT */
/* SQLite calls a hook before each change of a row. The hook writes the change in the form of a
 * patchset of SQLite's session extension: the row that was inserted, the key and the new values of
 * one that was updated, the key of one that was deleted. A session costs three times as much
 * (docs/design/replica.md). */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "sqlite_record.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

#define COLUMNS_MOST 127      /* so their number is one byte */
#define NO_VALUE 0            /* in place of a value that was not changed */
#define KEPT_BYTES (1U << 20) /* a larger buffer is given back */

struct table {
	char *name;
	int count;
	char keys[COLUMNS_MOST]; /* for each column its place in the key, from 1; 0: none */
	struct buf changes;
};

struct recording {
	sqlite3 *handle;
	struct table *tables; /* sorted by name */
	size_t count;
	enum err err; /* why a change was lost */
};

/* The hook does not see the changes of virtual tables. The tables in which FTS5 keeps its index
 * change so much that their changes would be most of all. */
static const char list_columns[] =
	"SELECT list.name, info.pk FROM pragma_table_list AS list, pragma_table_info(list.name)"
	" AS info WHERE list.schema = 'main' AND list.type = 'table'"
	" AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND list.name <> ?1"
	" ORDER BY list.name COLLATE BINARY, info.cid";

static struct table *tables_add(struct recording *recording, const char *name)
{
	struct table *more =
		realloc(recording->tables, (recording->count + 1) * sizeof(*recording->tables));

	if (!more)
		return NULL;
	recording->tables = more;
	more += recording->count;
	*more = (struct table){.name = strdup(name)};
	recording->count += more->name != NULL;
	return more->name ? more : NULL;
}

/* Takes a row of list_columns. */
static int tables_add_column(struct recording *recording, struct sqlite3_stmt *list)
{
	const char *name = (const char *)sqlite3_column_text(list, 0);
	struct table *table = recording->count ? &recording->tables[recording->count - 1] : NULL;

	if (!name)
		return SQLITE_NOMEM;
	if (!table || strcmp(table->name, name) != 0)
		table = tables_add(recording, name);
	if (!table)
		return SQLITE_NOMEM;
	if (table->count == COLUMNS_MOST)
		return SQLITE_TOOBIG;
	table->keys[table->count++] = (char)sqlite3_column_int(list, 1);
	return SQLITE_OK;
}

static int tables_read(struct recording *recording, const char *except)
{
	sqlite3_stmt *list;
	int code = sqlite3_prepare_v2(recording->handle, list_columns, -1, &list, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(list, 1, except, -1, SQLITE_STATIC);
	while (code == SQLITE_OK && (code = sqlite3_step(list)) == SQLITE_ROW)
		code = tables_add_column(recording, list);
	sqlite3_finalize(list);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int table_compare(const void *name, const void *table)
{
	return strcmp(name, ((const struct table *)table)->name);
}

/* The number of bytes as SQLite writes it: seven bits in a byte, the highest first. */
static void size_write(struct buf *out, unsigned size)
{
	for (unsigned shift = 28; shift; shift -= 7)
		if (size >> shift)
			buf_add_char(out, (char)(size >> shift | 0x80));
	buf_add_char(out, (char)(size & 0x7f));
}

/* Those of a text too. sqlite3_value_text() would copy it, to end it with NUL. */
static struct slice value_bytes(sqlite3_value *value)
{
	const void *bytes = sqlite3_value_blob(value);

	return (struct slice){bytes, (size_t)sqlite3_value_bytes(value)};
}

static void value_write(struct buf *out, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);
	sqlite3_int64 integer;
	double real;
	uint64_t bits;

	buf_add_char(out, (char)type);
	if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
		integer = sqlite3_value_int64(value);
		real = sqlite3_value_double(value);
		memcpy(&bits, type == SQLITE_FLOAT ? (void *)&real : &integer, sizeof(bits));
		bits = htobe64(bits);
		buf_add(out, &bits, sizeof(bits));
	} else if (type != SQLITE_NULL) {
		struct slice bytes = value_bytes(value);

		out->failed |= bytes.len && !bytes.ptr;
		size_write(out, (unsigned)bytes.len);
		buf_add_slice(out, bytes);
	}
}

/* NULL is not equal to NULL: an old row has NULL also for a column that was added later. In the
 * patchset it is as short as no value. */
static bool value_equals(sqlite3_value *a, sqlite3_value *b)
{
	int type = sqlite3_value_type(a);

	if (type != sqlite3_value_type(b) || type == SQLITE_NULL)
		return false;
	if (type == SQLITE_INTEGER)
		return sqlite3_value_int64(a) == sqlite3_value_int64(b);
	if (type == SQLITE_FLOAT)
		return sqlite3_value_double(a) == sqlite3_value_double(b);
	return slice_eq(value_bytes(a), value_bytes(b));
}

typedef int value_fn(sqlite3 *handle, int column, sqlite3_value **value_out);

/* Writes the old or the new values of a row, or those of its key alone. */
static int row_write(const struct recording *recording, struct table *table, int op,
		     value_fn *value_of, bool only_key)
{
	int code = SQLITE_OK;

	buf_add_char(&table->changes, (char)op);
	buf_add_char(&table->changes, 0); /* a direct change */
	for (int i = 0; i < table->count && code == SQLITE_OK; i++) {
		sqlite3_value *value;

		if (only_key && !table->keys[i])
			continue;
		code = value_of(recording->handle, i, &value);
		if (code == SQLITE_OK)
			value_write(&table->changes, value);
	}
	return code;
}

/* Writes an update; if it changes the key, a deletion and an insertion. */
static int update_write(const struct recording *recording, struct table *table)
{
	struct buf *out = &table->changes;
	size_t begin = out->len;
	bool changes = false, moves = false;
	int code = SQLITE_OK;

	buf_add_char(out, SQLITE_UPDATE);
	buf_add_char(out, 0);
	for (int i = 0; i < table->count && code == SQLITE_OK && !moves; i++) {
		sqlite3_value *before, *after;
		bool equal;

		code = sqlite3_preupdate_old(recording->handle, i, &before);
		if (code == SQLITE_OK)
			code = sqlite3_preupdate_new(recording->handle, i, &after);
		if (code != SQLITE_OK)
			break;
		equal = value_equals(before, after);
		moves = table->keys[i] && !equal;
		changes |= !equal;
		if (table->keys[i] || !equal)
			value_write(out, after);
		else
			buf_add_char(out, NO_VALUE);
	}
	if (code != SQLITE_OK || (changes && !moves))
		return code;
	out->len = begin;
	if (!moves)
		return SQLITE_OK;
	code = row_write(recording, table, SQLITE_DELETE, sqlite3_preupdate_old, true);
	return code ? code
		    : row_write(recording, table, SQLITE_INSERT, sqlite3_preupdate_new, false);
}

/* For sqlite3_preupdate_hook(). */
static void row_record(void *context, sqlite3 *handle, int op, const char *schema, const char *name,
		       sqlite3_int64 old_id, sqlite3_int64 new_id)
{
	struct recording *recording = context;
	struct table *table = bsearch(name, recording->tables, recording->count,
				      sizeof(*recording->tables), table_compare);
	int code;

	(void)old_id;
	(void)new_id;
	if (!table || strcmp(schema, "main") != 0)
		return;
	if (sqlite3_preupdate_count(handle) != table->count)
		code = SQLITE_SCHEMA;
	else if (op == SQLITE_INSERT)
		code = row_write(recording, table, op, sqlite3_preupdate_new, false);
	else if (op == SQLITE_DELETE)
		code = row_write(recording, table, op, sqlite3_preupdate_old, true);
	else
		code = update_write(recording, table);
	if (code != SQLITE_OK && !recording->err)
		recording->err = sqlite_code_err(code);
}

void recording_forget(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->count; i++) {
		struct buf *changes = &recording->tables[i].changes;

		if (changes->cap > KEPT_BYTES)
			buf_release(changes);
		buf_clear(changes);
	}
	recording->err = OK;
}

enum err recording_new(sqlite3 *handle, const char *except, struct recording **recording_out)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	enum err err;

	if (!recording)
		return ERR_NOMEM;
	recording->handle = handle;
	err = sqlite_code_err(tables_read(recording, except));
	if (err) {
		recording_free(recording);
		return err;
	}
	sqlite3_preupdate_hook(handle, row_record, recording);
	*recording_out = recording;
	return OK;
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	sqlite3_preupdate_hook(recording->handle, NULL, NULL);
	for (size_t i = 0; i < recording->count; i++) {
		buf_release(&recording->tables[i].changes);
		free(recording->tables[i].name);
	}
	free(recording->tables);
	free(recording);
}

enum err recording_take(struct recording *recording, struct buf *changes)
{
	enum err err = recording->err;
	bool failed = false;

	for (size_t i = 0; i < recording->count; i++) {
		const struct table *table = &recording->tables[i];

		failed |= table->changes.failed;
		if (!table->changes.len)
			continue;
		buf_add_char(changes, 'P');
		buf_add_char(changes, (char)table->count);
		buf_add(changes, table->keys, (size_t)table->count);
		buf_add(changes, table->name, strlen(table->name) + 1);
		buf_add_slice(changes, buf_slice(&table->changes));
	}
	recording_forget(recording);
	return !err && (failed || changes->failed) ? ERR_NOMEM : err;
}

/* The changes belong to the state that the database has. So none can be in conflict with it. */
static int change_on_conflict(void *context, int kind, sqlite3_changeset_iter *change)
{
	(void)context;
	(void)kind;
	(void)change;
	return SQLITE_CHANGESET_ABORT;
}

enum err changes_apply(sqlite3 *handle, struct slice changes)
{
	int code;

	if (changes.len > INT_MAX)
		return ERR_CORRUPT;
	code = sqlite3changeset_apply_v2(handle, (int)changes.len, (void *)(uintptr_t)changes.ptr,
					 NULL, change_on_conflict, NULL, NULL, NULL,
					 SQLITE_CHANGESETAPPLY_NOSAVEPOINT);
	return code == SQLITE_ABORT ? ERR_CORRUPT : sqlite_code_err(code);
}

/* NULL: the change has no value for the column. */
static struct db_value value_read(sqlite3_value *value)
{
	switch (value ? sqlite3_value_type(value) : SQLITE_NULL) {
	case SQLITE_INTEGER:
		return DB_INT_VALUE(sqlite3_value_int64(value));
	case SQLITE_TEXT:
		return DB_TEXT_VALUE(value_bytes(value));
	case SQLITE_BLOB:
		return DB_BYTES_VALUE(value_bytes(value));
	default:
		return DB_NULL_VALUE;
	}
}

/* Gives the row of the change that the iterator has reached. */
static enum err change_read(sqlite3_changeset_iter *change, const char *table, db_row_fn *on_row,
			    void *context)
{
	struct db_value values[COLUMNS_MOST];
	const char *name;
	int columns, op, indirect;
	int code = sqlite3changeset_op(change, &name, &columns, &op, &indirect);

	if (code == SQLITE_OK && (op == SQLITE_DELETE || strcmp(name, table) != 0))
		return OK;
	if (code == SQLITE_OK && columns > COLUMNS_MOST)
		return ERR_CORRUPT;
	for (int i = 0; i < columns && code == SQLITE_OK; i++) {
		sqlite3_value *value = NULL;

		code = sqlite3changeset_new(change, i, &value);
		if (code == SQLITE_OK && !value && op == SQLITE_UPDATE)
			code = sqlite3changeset_old(change, i, &value); /* has only the key */
		values[i] = value_read(value);
	}
	return code == SQLITE_OK ? on_row(context, values, (size_t)columns) : sqlite_code_err(code);
}

enum err changes_read(struct slice changes, const char *table, db_row_fn *on_row, void *context)
{
	sqlite3_changeset_iter *change;
	enum err err = OK;
	int code;

	if (changes.len > INT_MAX)
		return ERR_CORRUPT;
	code = sqlite3changeset_start(&change, (int)changes.len, (void *)(uintptr_t)changes.ptr);
	if (code != SQLITE_OK)
		return sqlite_code_err(code);
	while (!err && (code = sqlite3changeset_next(change)) == SQLITE_ROW)
		err = change_read(change, table, on_row, context);
	sqlite3changeset_finalize(change);
	return err || code == SQLITE_DONE ? err : sqlite_code_err(code);
}
