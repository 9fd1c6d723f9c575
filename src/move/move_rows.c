/* SPDX-License-Identifier: MIT */
/* Reads the rows of the tables, page by page in the order of their keys.
 * The order is the same on every database. So both sides can be compared, and a copy can continue
 * after any row. */
#include <assert.h>

#include "move_private.h"
#include "place/migrate.h"

/* The indexes of a key's columns where they come first. */
static const size_t in_order[] = {0, 1, 2, 3};
_Static_assert(COUNT_OF(in_order) == SQL_KEY_COLUMNS, "every column of a key has its index");

struct columns {
	struct move *move;
	struct shape *shape;
};

static enum err column_row(void *context, const struct db_value *values, size_t count)
{
	struct columns *columns = context;
	struct shape *shape = columns->shape;
	char *name = arena_copy(&columns->move->arena, values[0].bytes);

	(void)count;
	if (!name || shape->count == TABLE_COLUMNS)
		return ERR_NOMEM;
	shape->names[shape->count++] = name;
	return OK;
}

enum err columns_read(struct move *move, const struct side *side, const char *table,
		      struct shape *shape_out)
{
	const struct db_driver *driver = side->store->driver;
	const struct db_value name = DB_TEXT_VALUE(slice_of(table));
	struct shape shape = {0};
	struct columns columns = {move, &shape};
	const struct db_call call = {sql_dialect(driver)->columns, &name, 1, column_row, &columns};
	enum err err = driver->run(side->db, &call, 1);

	if (err)
		return move_fail(move, side, err, "look for", table);
	*shape_out = shape;
	return OK;
}

/* The index of a column; shape->count: there is no such column. */
static size_t shape_find_column(const struct shape *shape, const char *name)
{
	size_t i = 0;

	while (i < shape->count && strcmp(shape->names[i], name) != 0)
		i++;
	return i;
}

enum err shapes_read(struct move *move)
{
	for (size_t i = 0; i < SQL_TABLES; i++) {
		const struct sql_table *table = &sql_tables[i];
		struct shape *shape = &move->shapes[i];
		enum err err = columns_read(move, &move->from, table->name, shape);

		if (err)
			return err;
		for (const char *const *name = table->key; *name; name++)
			shape->key[shape->key_count++] = shape_find_column(shape, *name);
		shape->indexed = table->indexed ? shape_find_column(shape, table->indexed) : 0;
		for (size_t j = 0; j < shape->key_count; j++)
			if (shape->key[j] == shape->count || shape->indexed == shape->count)
				return move_fail(move, &move->from, ERR_SCHEMA, "know",
						 table->name);
	}
	return OK;
}

enum err same_columns(struct move *move, size_t table)
{
	const struct shape *have = &move->shapes[table];
	struct shape other = {0};
	enum err err = columns_read(move, &move->to, sql_tables[table].name, &other);
	bool same = !err && other.count == have->count;

	for (size_t i = 0; i < have->count && same; i++)
		same = shape_find_column(&other, have->names[i]) < other.count;
	if (!err && !same) {
		buf_printf(move->why,
			   "the table %s has other columns in the target than in the source",
			   sql_tables[table].name);
		err = ERR_SCHEMA;
	}
	return err;
}

enum err rows_count(struct move *move, const struct side *side, size_t table, int64_t *count_out)
{
	const char *name = sql_tables[table].name;
	struct db_call call = {.on_row = db_number, .context = count_out};
	enum err err = ERR_NOMEM;

	call.sql = arena_printf(&move->arena, "SELECT count(*) FROM %s", name);
	if (call.sql)
		err = side->store->driver->run(side->db, &call, 1);
	return err ? move_fail(move, side, err, "count", name) : OK;
}

/* Adds the columns of the key, each followed by `behind`. Every database orders texts by their
 * bytes; see schema/. */
static void table_add_key(struct buf *sql, const struct sql_table *table, const char *behind)
{
	for (const char *const *name = table->key; *name; name++)
		buf_printf(sql, "%s%s%s", name == table->key ? "" : ", ", *name, behind);
}

static void shape_add_columns(struct buf *sql, const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", shape->names[i]);
}

void key_release(struct key *key)
{
	buf_release(&key->bytes);
	*key = (struct key){0};
}

/* Copies the key of a row. `places`: the indexes of its columns. */
static enum err key_take(struct key *key, const struct db_value *values, const size_t *places,
			 size_t count)
{
	size_t at = 0;

	assert(count <= SQL_KEY_COLUMNS);
	buf_clear(&key->bytes);
	key->count = count;
	for (size_t i = 0; i < count; i++) {
		key->values[i] = values[places[i]];
		if (key->values[i].type != DB_INT)
			buf_add_slice(&key->bytes, key->values[i].bytes);
	}
	if (key->bytes.failed)
		return ERR_NOMEM;
	/* Only now, because buf_add_slice() may move the bytes. */
	for (size_t i = 0; i < count; i++)
		if (key->values[i].type != DB_INT) {
			key->values[i].bytes.ptr = key->bytes.len ? key->bytes.ptr + at : "";
			at += key->values[i].bytes.len;
		}
	return OK;
}

struct page {
	const struct shape *shape;
	struct key *key;
	db_row_fn *on_row;
	void *context;
	size_t rows;
	enum err err; /* rows after an error are skipped */
};

static enum err page_row(void *context, const struct db_value *values, size_t count)
{
	struct page *page = context;

	if (!page->err)
		page->err = page->on_row(page->context, values, count);
	if (!page->err)
		page->err = key_take(page->key, values, page->shape->key, page->shape->key_count);
	page->rows++;
	return page->err;
}

static enum err key_last_row(void *context, const struct db_value *values, size_t count)
{
	return key_take(context, values, in_order, count);
}

enum err key_last(struct move *move, const struct side *side, size_t table, struct key *key)
{
	const struct sql_table *about = &sql_tables[table];
	struct db_call call = {.on_row = key_last_row, .context = key};
	struct buf sql = {0};
	enum err err = ERR_NOMEM;

	key->count = 0;
	buf_add_text(&sql, "SELECT ");
	table_add_key(&sql, about, "");
	buf_printf(&sql, " FROM %s ORDER BY ", about->name);
	table_add_key(&sql, about, " DESC");
	buf_add_text(&sql, " LIMIT 1");
	buf_add_char(&sql, '\0');
	call.sql = sql.ptr;
	if (!sql.failed)
		err = side->store->driver->run(side->db, &call, 1);
	buf_release(&sql);
	return err ? move_fail(move, side, err, "read", about->name) : OK;
}

/* The statement that reads a page: after a key, or from the first row on. */
static void page_sql(struct move *move, size_t table, bool behind, struct buf *sql)
{
	const struct sql_table *about = &sql_tables[table];
	const struct shape *shape = &move->shapes[table];

	buf_add_text(sql, "SELECT ");
	shape_add_columns(sql, shape);
	buf_printf(sql, " FROM %s", about->name);
	if (behind) {
		buf_add_text(sql, " WHERE (");
		table_add_key(sql, about, "");
		buf_add_text(sql, ") > (");
		for (size_t i = 0; i < shape->key_count; i++)
			buf_printf(sql, "%s$%zu", i ? ", " : "", i + 1);
		buf_add_text(sql, ")");
	}
	buf_add_text(sql, " ORDER BY ");
	table_add_key(sql, about, "");
	buf_printf(sql, " LIMIT %d", ROWS_AT_ONCE);
	buf_add_char(sql, '\0');
}

enum err rows_read(struct move *move, const struct side *side, size_t table, struct key *key,
		   db_row_fn *on_row, void *context, bool *more_out)
{
	struct page page = {&move->shapes[table], key, on_row, context, 0, OK};
	struct key behind = {0}; /* a copy for the statement, because page_row() changes `key` */
	struct buf sql = {0};
	enum err err = key_take(&behind, key->values, in_order, key->count);
	struct db_call call = {.args = behind.values, .arg_count = key->count, .many = true};

	call.on_row = page_row;
	call.context = &page;
	page_sql(move, table, key->count > 0, &sql);
	call.sql = sql.ptr;
	if (!err)
		err = side_hold(move, side);
	if (!err)
		err = sql.failed ? ERR_NOMEM : side->store->driver->run(side->db, &call, 1);
	buf_release(&sql);
	key_release(&behind);
	if (err)
		return move_fail(move, side, err, "read", sql_tables[table].name);
	*more_out = page.rows == ROWS_AT_ONCE;
	return OK;
}

/* Adds every value of a row, with its type and length. */
static enum err sum_row(void *context, const struct db_value *values, size_t count)
{
	struct sum *sum = context;

	for (size_t i = 0; i < count; i++) {
		const struct db_value *value = &values[i];
		const char type = (char)value->type;

		digest_add(&sum->digest, (struct slice){&type, 1});
		if (value->type == DB_INT)
			digest_add_int(&sum->digest, value->integer);
		if (value->type != DB_TEXT && value->type != DB_BYTES)
			continue;
		digest_add_int(&sum->digest, (int64_t)value->bytes.len);
		digest_add(&sum->digest, value->bytes);
	}
	sum->rows++;
	return OK;
}

void sum_begin(struct sum *sum)
{
	*sum = (struct sum){.more = true};
	digest_init(&sum->digest);
}

enum err sum_page(struct move *move, const struct side *side, size_t table, struct sum *sum)
{
	int64_t before = sum->rows;
	enum err err = rows_read(move, side, table, &sum->key, sum_row, sum, &sum->more);

	if (!err)
		move_step(move, sum->rows - before);
	return err;
}

void sum_end(struct sum *sum, unsigned char out[DIGEST_BYTES])
{
	digest_final(&sum->digest, out);
	key_release(&sum->key);
}
