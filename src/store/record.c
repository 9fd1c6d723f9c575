/* SPDX-License-Identifier: MIT */
/* SQL from the field tables: one insert and one select for each kind of record, made once when
 * the store opens, and the values that go in and come out of them. */
#include <assert.h>

#include "base/timefmt.h"
#include "codec/codec.h"
#include "model/address.h"
#include "model/list.h"
#include "store/store_private.h"

/* Columns that a field takes in its record's own table. */
static size_t columns_of(const struct field *field)
{
	return field->type == FIELD_ADDRESS ? ADDRESS_PARTS : field->type == FIELD_ID_LIST ? 0 : 1;
}

static void add_columns(const struct field *field, struct buf *sql)
{
	if (field->type == FIELD_ADDRESS)
		for (size_t i = 0; i < ADDRESS_PARTS; i++)
			buf_printf(sql, ", %s%s", field->column, address_parts[i].column);
	else if (field->type != FIELD_ID_LIST)
		buf_printf(sql, ", %s", field->column);
}

static const char *build_insert(const struct record_type *type, struct arena *arena,
				size_t *args_out)
{
	struct buf sql = {0};
	const char *copy;
	size_t args = 2;

	buf_printf(&sql, "INSERT INTO %s (account_id, change", type->table);
	for (size_t i = 0; i < type->field_count; i++) {
		add_columns(&type->fields[i], &sql);
		args += columns_of(&type->fields[i]);
	}
	buf_add_text(&sql, ") VALUES ($1");
	for (size_t i = 2; i <= args; i++)
		buf_printf(&sql, ", $%zu", i);
	buf_add_char(&sql, ')');
	copy = sql.failed ? NULL : arena_copy(arena, buf_slice(&sql));
	buf_release(&sql);
	*args_out = args;
	return copy;
}

/* `format` with `what` in the place of its %s: the dialect's words are data, and no format of
 * the compiler's knowing. */
void put_into(const char *format, const char *what, struct buf *out)
{
	const char *at = strstr(format, "%s");

	buf_add(out, format, (size_t)(at - format));
	buf_add_text(out, what);
	buf_add_text(out, at + 2);
}

/* A list comes with its record in one row, as its ids joined by commas: no statement a record. */
static void add_list(const struct db_dialect *dialect, const struct record_type *type,
		     const struct field_link *link, struct buf *sql)
{
	char ids[64];

	snprintf(ids, sizeof(ids), "l.%s", link->member);
	buf_add_text(sql, ", (SELECT ");
	put_into(dialect->join_ids, ids, sql);
	buf_printf(sql, " FROM %s l WHERE l.account_id = %s.account_id AND l.%s = %s.id)",
		   link->table, type->table, link->owner, type->table);
}

/* `from` is what follows the columns: the table and which of its records. */
static const char *build_select(const struct db_dialect *dialect, const struct record_type *type,
				const char *from, struct arena *arena)
{
	struct buf sql = {0};
	const char *copy;

	buf_add_text(&sql, "SELECT change");
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		add_columns(field, &sql);
		if (field->type == FIELD_ID_LIST)
			add_list(dialect, type, field->link, &sql);
	}
	buf_add_text(&sql, from);
	copy = sql.failed ? NULL : arena_copy(arena, buf_slice(&sql));
	buf_release(&sql);
	return copy;
}

/* What the records of a page name: by their column, or by the table behind their list. */
static enum err build_related(const struct db_dialect *dialect, const struct record_type *type,
			      struct arena *arena, struct record_sql *sql)
{
	const struct record_lists *lists = type->lists;
	struct buf among = {0};
	enum err err = OK;

	sql->select_related = arena_alloc(arena, (lists->expansion_count + 1) * sizeof(char *));
	if (!sql->select_related)
		return ERR_NOMEM;
	put_into(dialect->among, "$2", &among);
	for (size_t i = 0; i < lists->expansion_count && !err; i++) {
		const struct expansion *expansion = &lists->expansions[i];
		const struct field *field = field_of(type, expansion->field);
		const struct field_link *link = field->link;
		const char *from =
			arena_printf(arena,
				     " FROM %s WHERE account_id = $1 AND id IN"
				     " (SELECT %s FROM %s WHERE account_id = $1 AND %s IN %.*s)",
				     expansion->type->table, link ? link->member : field->column,
				     link ? link->table : type->table, link ? link->owner : "id",
				     (int)among.len, among.ptr);

		if (from)
			sql->select_related[i] =
				build_select(dialect, expansion->type, from, arena);
		if (!sql->select_related[i])
			err = ERR_NOMEM;
	}
	buf_release(&among);
	return err;
}

static const char *build_link_insert(const struct field_link *link, struct arena *arena)
{
	struct buf columns = {0}, args = {0};
	const char *sql;

	for (size_t i = 0; link->copies[i]; i++) {
		buf_printf(&columns, ", %s", link->copies[i]);
		buf_printf(&args, ", $%zu", i + 4);
	}
	buf_add_char(&columns, '\0');
	buf_add_char(&args, '\0');
	sql = columns.failed || args.failed
		      ? NULL
		      : arena_printf(arena,
				     "INSERT INTO %s (account_id, %s, %s%s) VALUES ($1, $2, $3%s)",
				     link->table, link->owner, link->member, columns.ptr, args.ptr);
	buf_release(&columns);
	buf_release(&args);
	return sql;
}

static enum err build_type(struct store *store, enum record_kind kind)
{
	const struct record_type *type = record_types[kind];
	const struct db_dialect *dialect = store->driver->dialect;
	struct record_sql *sql = &store->sql[kind];
	struct arena *arena = &store->arena;
	const char *one, *page;

	sql->insert = build_insert(type, &store->arena, &sql->arg_count);
	one = arena_printf(arena, " FROM %s WHERE account_id = $1 AND id = $2", type->table);
	page = arena_printf(arena,
			    " FROM %s k CROSS JOIN %s WHERE account_id = $1 AND id = k.value",
			    dialect->ids_in_order, type->table);
	if (!one || !page)
		return ERR_NOMEM;
	sql->select = build_select(dialect, type, one, arena);
	sql->select_page = build_select(dialect, type, page, arena);
	if (type->lists && build_related(dialect, type, arena, sql))
		return ERR_NOMEM;
	sql->link_insert = arena_alloc(&store->arena, type->field_count * sizeof(char *));
	if (!sql->insert || !sql->select || !sql->select_page || !sql->link_insert)
		return ERR_NOMEM;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field_link *link = type->fields[i].link;

		if (link)
			sql->link_insert[i] = build_link_insert(link, &store->arena);
		if (link && !sql->link_insert[i])
			return ERR_NOMEM;
	}
	return OK;
}

enum err record_sql_build(struct store *store)
{
	struct buf read = {0}, update = {0};
	enum err err = OK;

	buf_add_text(&read, "SELECT last_change");
	buf_add_text(&update, "UPDATE account SET last_change = $2");
	for (size_t i = 0; i < RECORD_KINDS; i++) {
		buf_printf(&read, ", %s", record_types[i]->sequence);
		buf_printf(&update, ", %s = $%zu", record_types[i]->sequence, i + 3);
	}
	buf_printf(&read, " FROM account WHERE id = $1%s", store->driver->dialect->lock_row);
	buf_add_text(&update, " WHERE id = $1");
	store->read_account = arena_copy(&store->arena, buf_slice(&read));
	store->update_account = arena_copy(&store->arena, buf_slice(&update));
	if (read.failed || update.failed || !store->read_account || !store->update_account)
		err = ERR_NOMEM;
	buf_release(&read);
	buf_release(&update);
	for (enum record_kind kind = 0; kind < RECORD_KINDS && !err; kind++)
		err = build_type(store, kind);
	return err;
}

/* One field's values: columns_of() of them. */
static void field_to_values(const struct field *field, const void *at, struct db_value *values)
{
	const struct address *address;

	switch (field->type) {
	case FIELD_ID:
		values[0] = *(const int64_t *)at == ID_NONE ? DB_NULL_VALUE
							    : DB_INT_VALUE(*(const int64_t *)at);
		break;
	case FIELD_TIMESTAMP:
		values[0] = *(const int64_t *)at == TIME_NONE ? DB_NULL_VALUE
							      : DB_INT_VALUE(*(const int64_t *)at);
		break;
	case FIELD_CHOICE:
	case FIELD_DATE:
		values[0] = DB_INT_VALUE(*(const int32_t *)at);
		break;
	case FIELD_TEXT:
		values[0] = DB_TEXT_VALUE(*(const struct slice *)at);
		break;
	case FIELD_ADDRESS:
		address = *(struct address *const *)at;
		for (size_t i = 0; i < ADDRESS_PARTS; i++)
			values[i] = address ? DB_TEXT_VALUE(*(const struct slice *)CONST_FIELD_AT(
						      address, &address_parts[i]))
					    : DB_NULL_VALUE;
		break;
	case FIELD_ID_LIST:
	case FIELD_TYPES:
		break;
	}
}

/* The history row of a change: the record after it, as the API writes it. */
static enum err add_history(struct store_write *write, const struct record_type *type,
			    const struct record *record, const char *action, struct calls *calls)
{
	static const char sql[] = "INSERT INTO history (account_id, change, at, staff_id, record,"
				  " record_id, action, value)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
	struct db_value *args = arena_alloc(write->arena, 8 * sizeof(*args));
	struct buf value = {0};
	char *copy;

	encode_record(type, record, &value);
	copy = value.failed ? NULL : arena_copy(write->arena, buf_slice(&value));
	if (args && copy) {
		args[0] = DB_INT_VALUE(write->scope.account_id);
		args[1] = DB_INT_VALUE(record->change);
		args[2] = DB_INT_VALUE(write->now);
		args[3] = write->scope.staff_id == ID_NONE ? DB_NULL_VALUE
							   : DB_INT_VALUE(write->scope.staff_id);
		args[4] = DB_TEXT_VALUE(slice_of(type->name));
		args[5] = DB_INT_VALUE(record->id);
		args[6] = DB_TEXT_VALUE(slice_of(action));
		args[7] = DB_TEXT_VALUE(((struct slice){copy, value.len}));
	}
	buf_release(&value);
	return args && copy ? calls_add(calls, sql, args, 8, NULL, NULL) : ERR_NOMEM;
}

static enum err add_links(struct store_write *write, enum record_kind kind,
			  const struct record *record, struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct id_list *list = CONST_FIELD_AT(record, &type->fields[i]);
		const char *const *copies;

		if (type->fields[i].type != FIELD_ID_LIST)
			continue;
		copies = type->fields[i].link->copies;
		for (size_t j = 0; j < list->count && !err; j++) {
			struct db_value *args = arena_alloc(write->arena, 6 * sizeof(*args));
			size_t count = 3;

			if (!args)
				return ERR_NOMEM;
			args[0] = DB_INT_VALUE(write->scope.account_id);
			args[1] = DB_INT_VALUE(record->id);
			args[2] = DB_INT_VALUE(list->ids[j]);
			for (; copies[count - 3]; count++) {
				const struct field *copied = field_of(type, copies[count - 3]);

				field_to_values(copied, CONST_FIELD_AT(record, copied),
						&args[count]);
			}
			err = calls_add(calls, write->store->sql[kind].link_insert[i], args, count,
					NULL, NULL);
		}
	}
	return err;
}

/* What a database that has an index of words beside the table must be told. */
static enum err add_words(struct store_write *write, const struct record_type *type,
			  const struct record *record, struct calls *calls)
{
	const struct db_words *words = write->store->driver->dialect->words;
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && words && !err; i++) {
		struct db_value *args;

		if (!(type->fields[i].flags & FIELD_SEARCHED))
			continue;
		args = arena_alloc(write->arena, 3 * sizeof(*args));
		if (!args)
			return ERR_NOMEM;
		args[0] = DB_INT_VALUE(write->scope.account_id);
		args[1] = DB_INT_VALUE(record->id);
		field_to_values(&type->fields[i], CONST_FIELD_AT(record, &type->fields[i]),
				&args[2]);
		err = calls_add(calls, words->insert, args, 3, NULL, NULL);
	}
	return err;
}

enum err record_insert(struct store_write *write, enum record_kind kind, void *data,
		       struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	const struct record_sql *sql = &write->store->sql[kind];
	struct db_value *args = arena_alloc(write->arena, sql->arg_count * sizeof(*args));
	struct record *record = data;
	size_t at = 2;
	enum err err;

	if (!args)
		return ERR_NOMEM;
	if (record->id == ID_NONE)
		record->id = write->last_id[kind] + 1;
	if (record->id > write->last_id[kind])
		write->last_id[kind] = record->id;
	record->change = ++write->last_change;
	if (record->created_at == TIME_NONE)
		record->created_at = write->now;
	if (record->updated_at == TIME_NONE)
		record->updated_at = record->created_at;
	write->changed = true;
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_INT_VALUE(record->change);
	for (size_t i = 0; i < type->field_count; i++) {
		field_to_values(&type->fields[i], CONST_FIELD_AT(record, &type->fields[i]),
				&args[at]);
		at += columns_of(&type->fields[i]);
	}
	err = calls_add(calls, sql->insert, args, at, NULL, NULL);
	if (!err)
		err = add_links(write, kind, record, calls);
	if (!err)
		err = add_words(write, type, record, calls);
	return err ? err : add_history(write, type, record, "create", calls);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* "3,1,2" to ascending ids: the database joins them in no promised order. */
static enum err ids_from_text(struct slice text, struct arena *arena, struct id_list *list)
{
	size_t count = 1, at = 0;

	if (text.len == 0)
		return OK;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == ',';
	list->ids = arena_alloc(arena, count * sizeof(*list->ids));
	if (!list->ids)
		return ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == ',')
			at++;
		else
			list->ids[at] = list->ids[at] * 10 + (text.ptr[i] - '0');
	list->count = count;
	for (size_t i = 1; i < count; i++)
		if (list->ids[i - 1] > list->ids[i]) {
			qsort(list->ids, count, sizeof(*list->ids), by_value);
			break;
		}
	return OK;
}

static enum err address_from_values(const struct db_value *values, struct arena *arena,
				    struct address **address_out)
{
	struct address *address;

	if (values[ADDRESS_PARTS - 1].type == DB_NULL) /* the country */
		return OK;
	address = arena_alloc(arena, sizeof(*address));
	if (!address)
		return ERR_NOMEM;
	for (size_t i = 0; i < ADDRESS_PARTS; i++)
		*(struct slice *)FIELD_AT(address, &address_parts[i]) = values[i].bytes;
	*address_out = address;
	return OK;
}

static enum err field_from_values(const struct field *field, const struct db_value *values,
				  struct arena *arena, void *at)
{
	bool null = values[0].type == DB_NULL;

	switch (field->type) {
	case FIELD_ID:
		*(int64_t *)at = null ? ID_NONE : values[0].integer;
		return OK;
	case FIELD_TIMESTAMP:
		*(int64_t *)at = null ? TIME_NONE : values[0].integer;
		return OK;
	case FIELD_CHOICE:
	case FIELD_DATE:
		*(int32_t *)at = (int32_t)values[0].integer;
		return OK;
	case FIELD_TEXT:
		*(struct slice *)at = values[0].bytes;
		return OK;
	case FIELD_ADDRESS:
		return address_from_values(values, arena, at);
	case FIELD_ID_LIST:
		return null ? OK : ids_from_text(values[0].bytes, arena, at);
	case FIELD_TYPES:
		break;
	}
	return ERR_INTERNAL;
}

enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *data)
{
	struct record *record = data;
	size_t at = 1;

	record->change = values[0].integer;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		enum err err =
			field_from_values(field, &values[at], arena, FIELD_AT(record, field));

		if (err)
			return err;
		at += field->type == FIELD_ID_LIST ? 1 : columns_of(field);
	}
	assert(at == count);
	(void)count;
	return OK;
}

struct get {
	const struct record_type *type;
	struct arena *arena;
	store_record_fn *on_record;
	void *context;
	bool found;
};

static enum err get_row(void *context, const struct db_value *values, size_t count)
{
	struct get *get = context;
	void *record = arena_alloc(get->arena, get->type->size);
	enum err err =
		record ? record_from_row(get->type, values, count, get->arena, record) : ERR_NOMEM;

	get->found = true;
	return err ? err : get->on_record(get->context, record);
}

enum err store_get(struct store *store, const struct scope *scope, enum record_kind kind,
		   int64_t id, struct arena *arena, store_record_fn *on_record, void *context)
{
	struct get get = {record_types[kind], arena, on_record, context, false};
	const struct db_value args[] = {DB_INT_VALUE(scope->account_id), DB_INT_VALUE(id)};
	struct db_call call = {store->sql[kind].select, args, 2, get_row, &get};
	enum err err = store_read(store, &call, 1);

	return err ? err : get.found ? OK : ERR_NOT_FOUND;
}
