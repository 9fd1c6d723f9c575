/* SPDX-License-Identifier: MIT */
/* Makes the statements of each kind of record from its field table. */
#include "model/list.h"
#include "sql/statements.h"

size_t field_columns(const struct field *field)
{
	return field->type == FIELD_ADDRESS ? ADDRESS_PARTS : field->type == FIELD_ID_LIST ? 0 : 1;
}

static void field_add_columns(const struct field *field, struct buf *sql)
{
	if (field->type == FIELD_ADDRESS)
		for (size_t i = 0; i < ADDRESS_PARTS; i++)
			buf_printf(sql, ", %s%s", field->column, address_parts[i].column);
	else if (field->type != FIELD_ID_LIST)
		buf_printf(sql, ", %s", field->column);
}

static const char *record_build_insert(const struct record_type *type, struct arena *arena,
				       size_t *args_out)
{
	struct buf sql = {0};
	const char *copy;
	size_t args = 2;

	buf_printf(&sql, "INSERT INTO %s (account_id, change", type->table);
	for (size_t i = 0; i < type->field_count; i++) {
		field_add_columns(&type->fields[i], &sql);
		args += field_columns(&type->fields[i]);
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

/* Takes the same arguments as the insert: $3 is the id, the first field. */
static const char *record_build_update(const struct record_type *type, struct arena *arena)
{
	struct buf sql = {0};
	const char *copy;
	size_t arg = 3;

	buf_printf(&sql, "UPDATE %s SET change = $2", type->table);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		for (size_t j = 0; j < field_columns(field); j++)
			buf_printf(&sql, ", %s%s = $%zu", field->column,
				   field->type == FIELD_ADDRESS ? address_parts[j].column : "",
				   arg++);
	}
	buf_add_text(&sql, " WHERE account_id = $1 AND id = $3");
	copy = sql.failed ? NULL : arena_copy(arena, buf_slice(&sql));
	buf_release(&sql);
	return copy;
}

/* Not printf(): the formats are data, which the compiler could not check. */
void put_into(const char *format, const char *what, struct buf *out)
{
	const char *at = strstr(format, "%s");

	buf_add(out, format, (size_t)(at - format));
	buf_add_text(out, what);
	buf_add_text(out, at + 2);
}

/* Adds a list as a column, with its ids joined by commas. So a record needs no further
 * statement. */
static void field_add_list(const struct sql_dialect *dialect, const struct record_type *type,
			   const struct field_link *link, struct buf *sql)
{
	char ids[64];

	snprintf(ids, sizeof(ids), "l.%s", link->member);
	buf_add_text(sql, ", (SELECT ");
	put_into(dialect->join_ids, ids, sql);
	buf_printf(sql, " FROM %s l WHERE l.account_id = %s.account_id AND l.%s = %s.id)",
		   link->table, type->table, link->owner, type->table);
}

const char *record_select(const struct sql_dialect *dialect, const struct record_type *type,
			  const char *from, struct arena *arena)
{
	struct buf sql = {0};
	const char *copy;

	buf_add_text(&sql, "SELECT change");
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		field_add_columns(field, &sql);
		if (field->type == FIELD_ID_LIST)
			field_add_list(dialect, type, field->link, &sql);
	}
	buf_add_text(&sql, from);
	copy = sql.failed ? NULL : arena_copy(arena, buf_slice(&sql));
	buf_release(&sql);
	return copy;
}

/* Makes the statements that read related records: those that the records of a page refer to, in a
 * column or in the table of a list. */
static enum err record_build_related(const struct sql_dialect *dialect,
				     const struct record_type *type, struct arena *arena,
				     struct record_sql *sql)
{
	const struct record_lists *lists = type->lists;
	enum err err = OK;

	sql->select_related = arena_alloc(arena, (lists->expansion_count + 1) * sizeof(char *));
	if (!sql->select_related)
		return ERR_NOMEM;
	for (size_t i = 0; i < lists->expansion_count && !err; i++) {
		const struct expansion *expansion = &lists->expansions[i];
		const struct field *field = field_of(type, expansion->field);
		const struct field_link *link = field->link;
		const char *from = arena_printf(
			arena,
			" FROM %s WHERE account_id = $1 AND id IN (SELECT t.%s FROM %s k"
			" CROSS JOIN %s t WHERE t.account_id = $1 AND t.%s = k.value)",
			expansion->type->table, link ? link->member : field->column,
			dialect->ids_in_order, link ? link->table : type->table,
			link ? link->owner : "id");

		if (from)
			sql->select_related[i] =
				record_select(dialect, expansion->type, from, arena);
		if (!sql->select_related[i])
			err = ERR_NOMEM;
	}
	return err;
}

/* The statements that change a list: they remove a member, and update the copied columns. */
static enum err link_build_changes(const struct field_link *link, struct arena *arena,
				   struct link_sql *sql)
{
	struct buf update = {0};

	sql->remove =
		arena_printf(arena, "DELETE FROM %s WHERE account_id = $1 AND %s = $2 AND %s = $3",
			     link->table, link->owner, link->member);
	for (size_t i = 0; link->copies[i]; i++)
		buf_printf(&update, "%s%s = $%zu", i ? ", " : "", link->copies[i], i + 3);
	buf_add_char(&update, '\0');
	if (link->copies[0] && !update.failed)
		sql->update =
			arena_printf(arena, "UPDATE %s SET %s WHERE account_id = $1 AND %s = $2",
				     link->table, update.ptr, link->owner);
	buf_release(&update);
	return sql->remove && (sql->update || !link->copies[0]) ? OK : ERR_NOMEM;
}

static const char *link_build_insert(const struct field_link *link, struct arena *arena)
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

/* The statements for single fields: of lists and of unique values. */
static enum err record_build_fields(const struct record_type *type, struct arena *arena,
				    struct record_sql *sql)
{
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct field *field = &type->fields[i];
		const struct field_link *link = field->link;

		if (link) {
			sql->links[i].insert = link_build_insert(link, arena);
			err = sql->links[i].insert ? link_build_changes(link, arena, &sql->links[i])
						   : ERR_NOMEM;
		}
		if (field->flags & FIELD_UNIQUE) {
			sql->unique[i] =
				arena_printf(arena,
					     "SELECT id FROM %s WHERE account_id = $1 AND %s = $2",
					     type->table, field->column);
			if (!sql->unique[i])
				err = ERR_NOMEM;
		}
	}
	return err;
}

static enum err record_build(const struct sql_dialect *dialect, enum record_kind kind,
			     struct arena *arena, struct record_sql *sql)
{
	const struct record_type *type = record_types[kind];
	const char *one, *page;

	sql->insert = record_build_insert(type, arena, &sql->arg_count);
	sql->update = record_build_update(type, arena);
	one = arena_printf(arena, " FROM %s WHERE account_id = $1 AND id = $2", type->table);
	page = arena_printf(arena,
			    " FROM %s k CROSS JOIN %s WHERE account_id = $1 AND id = k.value%s",
			    dialect->ids_in_order, type->table, dialect->keep_order);
	if (!one || !page)
		return ERR_NOMEM;
	sql->select = record_select(dialect, type, one, arena);
	sql->select_page = record_select(dialect, type, page, arena);
	if (type->lists && record_build_related(dialect, type, arena, sql))
		return ERR_NOMEM;
	sql->remove = arena_printf(arena, "DELETE FROM %s WHERE account_id = $1 AND id = $2",
				   type->table);
	if (dialect->lock_mode)
		sql->lock = arena_printf(arena, "LOCK TABLE %s%s", type->table, dialect->lock_mode);
	sql->links = arena_alloc(arena, type->field_count * sizeof(*sql->links));
	sql->unique = arena_alloc(arena, type->field_count * sizeof(char *));
	if (!sql->insert || !sql->update || !sql->select || !sql->select_page || !sql->links ||
	    !sql->remove || !sql->unique || (dialect->lock_mode && !sql->lock))
		return ERR_NOMEM;
	return record_build_fields(type, arena, sql);
}

enum err sql_statements_build(const struct sql_dialect *dialect, struct arena *arena,
			      struct sql_statements *sql)
{
	struct buf read = {0}, update = {0};
	enum err err = OK;

	buf_add_text(&read, "SELECT s.last_change, s.history_head, s.last_at");
	buf_add_text(
		&update,
		"UPDATE account_state AS s SET last_change = $2, history_head = $3, last_at = $4");
	for (size_t i = 0; i < RECORD_KINDS; i++) {
		buf_printf(&read, ", s.%s", record_types[i]->sequence);
		buf_printf(&update, ", %s = $%zu", record_types[i]->sequence, i + 5);
	}
	buf_printf(&read,
		   ", a.time_zone, (%s), CAST(%s AS text) FROM account_state s"
		   " JOIN account a ON a.id = s.account_id WHERE s.account_id = $1",
		   dialect->now ? dialect->now : "NULL",
		   dialect->row_place ? dialect->row_place : "NULL");
	if (dialect->try_turn)
		sql->try_account =
			arena_printf(arena, "%.*s%s", (int)read.len, read.ptr, dialect->try_turn);
	buf_add_text(&read, dialect->lock_account);
	sql->wait_for_account = dialect->wait_for_turn;
	buf_add_text(&update, " WHERE account_id = $1");
	sql->read_account = arena_copy(arena, buf_slice(&read));
	sql->update_account = arena_copy(arena, buf_slice(&update));
	if (dialect->row_place)
		sql->update_locked =
			arena_printf(arena, "%s AND %s = CAST($%d AS %s)", sql->update_account,
				     dialect->row_place, RECORD_KINDS + 5, dialect->place_type);
	sql->lock_given = arena_printf(arena, "SELECT last FROM given WHERE name = 'account'%s",
				       dialect->lock_row);
	sql->read_values = arena_printf(
		arena,
		"SELECT h.value, h.change, h.record, h.record_id"
		" FROM %s k CROSS JOIN history h WHERE h.account_id = $1 AND h.change = k.value%s",
		dialect->ids_in_order, dialect->keep_order);
	if (read.failed || update.failed || !sql->read_account || !sql->update_account ||
	    (dialect->try_turn && !sql->try_account) ||
	    (dialect->row_place && !sql->update_locked) || !sql->lock_given || !sql->read_values)
		err = ERR_NOMEM;
	buf_release(&read);
	buf_release(&update);
	for (enum record_kind kind = 0; kind < RECORD_KINDS && !err; kind++)
		err = record_build(dialect, kind, arena, &sql->records[kind]);
	return err;
}
