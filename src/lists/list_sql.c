/* SPDX-License-Identifier: MIT */
/* Writes the statements of lists. In them `t` is the record, `u` the table behind a list of ids
 * and `f` an index of words. The index to begin with was decided by counting, and is named: it is
 * not left to the database's guess. */
#include <assert.h>

#include "base/text.h"
#include "lists_private.h"

/* A longer needle is looked up by its beginning. */
#define PHRASE_CHARS 64

enum source {
	SOURCE_RECORD, /* t alone */
	SOURCE_LINK,   /* u, and t where it is needed */
	SOURCE_WORDS,  /* f, and t where it is needed */
};

/* One part of a UNION ALL: the driver's condition with one value, with all, or with none. */
struct arm {
	const struct condition *condition; /* NULL: there is nothing to look up */
	const int64_t *value;
	enum source source;
	bool set, none;
};

struct writer {
	const struct list_ask *ask;
	struct arena *arena;
	struct list_text *text;
	struct arm arm;
	struct buf where;
	bool joined;           /* t is needed beside u or f */
	int set_args[64];      /* by condition: where its argument stands, or 0 */
	int value_args[64][2]; /* bound, or the one value; and the phrase */
};

void list_text_release(struct list_text *text)
{
	buf_release(&text->sql);
	*text = (struct list_text){0};
}

static int add_arg(struct writer *w, struct db_value value)
{
	struct list_text *text = w->text;

	assert(text->arg_count < ASK_ARGS);
	text->args[text->arg_count++] = value;
	return (int)text->arg_count;
}

static size_t index_of(const struct writer *w, const struct condition *condition)
{
	return (size_t)(condition - w->ask->conditions);
}

/* An argument that every arm has in the same place. */
static int kept_arg(int *place, struct writer *w, struct db_value value)
{
	if (!*place)
		*place = add_arg(w, value);
	return *place;
}

/* The values as a JSON array. */
static int set_arg(struct writer *w, const struct condition *condition)
{
	int *place = &w->set_args[index_of(w, condition)];
	struct buf json = {0};
	const char *copy;

	if (*place)
		return *place;
	for (size_t i = 0; i < condition->count; i++) {
		buf_add_char(&json, i ? ',' : '[');
		buf_add_int(&json, condition->values[i]);
	}
	buf_add_char(&json, ']');
	copy = json.failed ? NULL : arena_copy(w->arena, buf_slice(&json));
	w->text->failed |= !copy;
	*place = add_arg(w, DB_TEXT_VALUE(((struct slice){copy, copy ? json.len : 0})));
	buf_release(&json);
	return *place;
}

static void add_among(struct writer *w, const struct condition *condition, struct buf *out)
{
	char arg[16];

	snprintf(arg, sizeof(arg), "$%d", set_arg(w, condition));
	buf_add_text(out, " IN ");
	put_into(w->ask->dialect->among, arg, out);
}

static bool is_id(const struct field *field)
{
	return field->offset == offsetof(struct record, id);
}

static const struct field_link *link_of(const struct writer *w)
{
	return w->arm.condition->field->link;
}

static bool is_copied(const struct field_link *link, const struct field *field)
{
	for (size_t i = 0; link->copies[i]; i++)
		if (strcmp(link->copies[i], field->column) == 0)
			return true;
	return false;
}

/* The column of a field, from the source that has it. */
static void add_column(struct writer *w, const struct field *field, struct buf *out)
{
	if (w->arm.source == SOURCE_LINK && is_id(field)) {
		buf_printf(out, "u.%s", link_of(w)->owner);
	} else if (w->arm.source == SOURCE_LINK && is_copied(link_of(w), field)) {
		buf_printf(out, "u.%s", field->column);
	} else if (w->arm.source == SOURCE_WORDS && is_id(field)) {
		buf_add_text(out, w->ask->dialect->text_index->id);
	} else {
		w->joined = true;
		buf_printf(out, "t.%s", field->column);
	}
}

static void add_and(struct writer *w)
{
	buf_add_text(&w->where, " AND ");
}

/* Whether a member of the list that the record has is among the values. */
static void add_link_exists(struct writer *w, const struct condition *condition)
{
	const struct field_link *link = condition->field->link;
	const struct field *id = field_of(w->ask->type, "id");

	buf_printf(&w->where,
		   "EXISTS (SELECT 1 FROM %s x WHERE x.account_id = $1 AND x.%s = ", link->table,
		   link->owner);
	add_column(w, id, &w->where);
	buf_printf(&w->where, " AND x.%s", link->member);
	add_among(w, condition, &w->where);
	buf_add_char(&w->where, ')');
}

static void add_none(struct writer *w, const struct condition *condition)
{
	const struct field *field = condition->field;

	if (field->link) {
		add_column(w, field_of(w->ask->type, field->link->empty), &w->where);
		buf_add_text(&w->where, " = 1");
	} else {
		add_column(w, field, &w->where);
		buf_add_text(&w->where, " IS NULL");
	}
}

/* FILTER_ANY, of a condition that is not the driver's. */
static void add_any(struct writer *w, const struct condition *condition)
{
	bool both = condition->count && condition->none;
	int *place = &w->value_args[index_of(w, condition)][0];

	if (both)
		buf_add_char(&w->where, '(');
	if (condition->count && condition->field->link) {
		add_link_exists(w, condition);
	} else if (condition->count) {
		add_column(w, condition->field, &w->where);
		if (condition->count == 1)
			buf_printf(&w->where, " = $%d",
				   kept_arg(place, w, DB_INT_VALUE(condition->values[0])));
		else
			add_among(w, condition, &w->where);
	}
	if (both)
		buf_add_text(&w->where, " OR ");
	if (condition->none)
		add_none(w, condition);
	if (both)
		buf_add_char(&w->where, ')');
}

/* The needle as a pattern of LIKE: what it would take for more is told by a backslash. */
static int pattern_arg(struct writer *w, const struct condition *condition, int *place)
{
	struct buf pattern = {0};
	const char *copy;

	if (*place)
		return *place;
	buf_add_char(&pattern, '%');
	for (size_t i = 0; i < condition->text.len; i++) {
		if (strchr("%_\\", condition->text.ptr[i]))
			buf_add_char(&pattern, '\\');
		buf_add_char(&pattern, condition->text.ptr[i]);
	}
	buf_add_char(&pattern, '%');
	copy = pattern.failed ? NULL : arena_copy(w->arena, buf_slice(&pattern));
	w->text->failed |= !copy;
	*place = add_arg(w, DB_TEXT_VALUE(((struct slice){copy, copy ? pattern.len : 0})));
	buf_release(&pattern);
	return *place;
}

static void add_contains(struct writer *w, const struct condition *condition, int *place)
{
	const char *position = w->ask->dialect->position;

	if (position)
		buf_printf(&w->where, "%s(", position);
	add_column(w, condition->field, &w->where);
	if (position)
		buf_printf(&w->where, ", $%d) > 0",
			   kept_arg(place, w, DB_TEXT_VALUE(condition->text)));
	else
		buf_printf(&w->where, " LIKE $%d", pattern_arg(w, condition, place));
}

static void add_condition(struct writer *w, const struct condition *condition)
{
	int *place = &w->value_args[index_of(w, condition)][0];

	switch (condition->op) {
	case FILTER_ANY:
		add_any(w, condition);
		break;
	case FILTER_FROM:
	case FILTER_TO:
		add_column(w, condition->field, &w->where);
		buf_printf(&w->where, " %s $%d", condition->op == FILTER_FROM ? ">=" : "<=",
			   kept_arg(place, w, DB_INT_VALUE(condition->bound)));
		break;
	case FILTER_IS:
		add_column(w, condition->field, &w->where);
		buf_printf(&w->where, " = $%d", kept_arg(place, w, DB_TEXT_VALUE(condition->text)));
		break;
	case FILTER_CONTAINS:
		add_contains(w, condition, place);
		break;
	}
}

/* A staff member's tasks, once each where several are asked for: with the first of them. */
static void add_link_arm(struct writer *w)
{
	const struct condition *condition = w->arm.condition;
	const struct field_link *link = condition->field->link;

	buf_add_text(&w->where, "u.account_id = $1");
	if (w->arm.set)
		return; /* see add_distinct() */
	buf_printf(&w->where, " AND u.%s = $%d", link->member,
		   add_arg(w, DB_INT_VALUE(*w->arm.value)));
	if (condition->count == 1)
		return;
	/* The + keeps the set out of the index: SQLite 3.46 would look up each of its values for
	 * every row, instead of the range below the row's member. */
	buf_printf(&w->where,
		   " AND NOT EXISTS (SELECT 1 FROM %s x WHERE x.account_id = $1"
		   " AND x.%s = u.%s AND x.%s < u.%s AND +x.%s",
		   link->table, link->owner, link->owner, link->member, link->member, link->member);
	add_among(w, condition, &w->where);
	buf_add_char(&w->where, ')');
}

/* U+FFFE and U+FFFF are U+FFFD to FTS5: what it finds by one of the three is looked at again. */
static bool has_noncharacter(struct slice text)
{
	for (size_t i = 2; i < text.len; i++)
		if ((unsigned char)text.ptr[i - 2] == 0xef &&
		    (unsigned char)text.ptr[i - 1] == 0xbf && (unsigned char)text.ptr[i] >= 0xbd)
			return true;
	return false;
}

static void add_words_arm(struct writer *w)
{
	const struct condition *condition = w->arm.condition;
	const struct text_index *index = w->ask->dialect->text_index;
	struct slice front = text_front(condition->text, PHRASE_CHARS);
	struct buf phrase = {0};
	const char *copy;

	buf_add_char(&phrase, '"');
	for (size_t i = 0; i < front.len; i++) {
		if (front.ptr[i] == '"')
			buf_add_char(&phrase, '"');
		buf_add_char(&phrase, front.ptr[i]);
	}
	buf_add_char(&phrase, '"');
	copy = phrase.failed ? NULL : arena_copy(w->arena, buf_slice(&phrase));
	w->text->failed |= !copy;
	buf_printf(&w->where, "%s$%d", index->match,
		   kept_arg(&w->value_args[index_of(w, condition)][1], w,
			    DB_TEXT_VALUE(((struct slice){copy, copy ? phrase.len : 0}))));
	buf_release(&phrase);
	if (front.len < condition->text.len || has_noncharacter(front)) {
		add_and(w);
		add_condition(w, condition);
	}
}

/* The account, and what the driver looks up. */
static void add_driver(struct writer *w)
{
	const struct arm *arm = &w->arm;

	if (arm->source == SOURCE_LINK) {
		add_link_arm(w);
		return;
	}
	if (arm->source == SOURCE_WORDS) {
		add_words_arm(w);
		return;
	}
	buf_add_text(&w->where, "t.account_id = $1");
	if (!arm->condition)
		return;
	add_and(w);
	if (arm->none) {
		add_none(w, arm->condition);
	} else if (arm->set) {
		add_column(w, arm->condition->field, &w->where);
		add_among(w, arm->condition, &w->where);
	} else if (arm->value) {
		add_column(w, arm->condition->field, &w->where);
		buf_printf(&w->where, " = $%d", add_arg(w, DB_INT_VALUE(*arm->value)));
	} else {
		add_condition(w, arm->condition);
	}
}

/* A bound of the sort is not needed beside the place of a record that kept to it; and beside it
 * might be looked up in its stead. */
static bool is_implied(const struct list_ask *ask, const struct condition *condition)
{
	const struct list_place *low = ask->descending ? ask->until : ask->after;
	const struct list_place *high = ask->descending ? ask->after : ask->until;

	return ask->ordered && condition->field == ask->sort &&
	       ((condition->op == FILTER_FROM && low) || (condition->op == FILTER_TO && high));
}

bool list_is_looked_up(const struct list_ask *ask, const struct condition *condition)
{
	return condition->field == ask->driver || condition->field == ask->second ||
	       (ask->ordered && condition->field == ask->sort && condition->op != FILTER_CONTAINS);
}

static void add_others(struct writer *w)
{
	const struct list_ask *ask = w->ask;

	for (size_t i = 0; i < ask->condition_count; i++) {
		const struct condition *condition = &ask->conditions[i];

		if (condition == w->arm.condition || is_implied(ask, condition) ||
		    (ask->driver_only && !list_is_looked_up(ask, condition)))
			continue;
		add_and(w);
		add_condition(w, condition);
	}
}

/* `place` is compared by `op`. */
static void add_place(struct writer *w, const struct list_place *place, const char *op)
{
	const struct list_ask *ask = w->ask;
	const struct field *id = field_of(ask->type, "id");
	int id_arg;

	add_and(w);
	if (is_id(ask->sort)) {
		id_arg = add_arg(w, DB_INT_VALUE(place->id));
		if (w->arm.source == SOURCE_WORDS)
			buf_printf(&w->where, "%s %s %s + $%d", ask->dialect->text_index->order, op,
				   ask->dialect->text_index->first, id_arg);
		else {
			add_column(w, id, &w->where);
			buf_printf(&w->where, " %s $%d", op, id_arg);
		}
		return;
	}
	buf_add_char(&w->where, '(');
	add_column(w, ask->sort, &w->where);
	buf_add_text(&w->where, ", ");
	add_column(w, id, &w->where);
	buf_printf(&w->where, ") %s ($%d, ", op,
		   add_arg(w, ask->sort->type == FIELD_TEXT ? DB_TEXT_VALUE(place->text)
							    : DB_INT_VALUE(place->integer)));
	buf_printf(&w->where, "$%d)", add_arg(w, DB_INT_VALUE(place->id)));
}

/* The places, and the ends of the account's part of an index of words where no place is one. */
static void add_places(struct writer *w)
{
	const struct list_ask *ask = w->ask;
	const struct text_index *index = ask->dialect->text_index;
	bool ends = w->arm.source == SOURCE_WORDS, by_id = is_id(ask->sort);
	const struct list_place *low = ask->descending ? ask->until : ask->after;
	const struct list_place *high = ask->descending ? ask->after : ask->until;

	if (low)
		add_place(w, low, ask->descending ? ">=" : ">");
	if (ends && !(low && by_id))
		buf_printf(&w->where, " AND %s >= %s", index->order, index->first);
	if (high)
		add_place(w, high, ask->descending ? "<" : "<=");
	if (ends && !(high && by_id))
		buf_printf(&w->where, " AND %s <= %s", index->order, index->last);
}

/* Names the index that a table is read by; NULL is its key. */
static void add_index(const struct writer *w, const char *table, const char *index, struct buf *out)
{
	const struct sql_dialect *dialect = w->ask->dialect;
	struct buf name = {0};

	if (!dialect->use_index)
		return;
	if (index)
		buf_add_text(&name, index);
	else
		put_into(dialect->key_index, table, &name);
	buf_add_char(&name, '\0');
	if (name.failed)
		out->failed = true;
	else
		put_into(dialect->use_index, name.ptr, out);
	buf_release(&name);
}

/* Many staff members' tasks, once each. */
static void add_distinct(struct writer *w, struct buf *out)
{
	const struct condition *condition = w->arm.condition;
	const struct field_link *link = condition->field->link;

	buf_printf(out, "(SELECT DISTINCT account_id, %s", link->owner);
	for (size_t i = 0; link->copies[i]; i++)
		buf_printf(out, ", %s", link->copies[i]);
	buf_printf(out, " FROM %s", link->table);
	add_index(w, link->table, w->ask->path->index, out);
	buf_printf(out, " WHERE account_id = $1 AND %s", link->member);
	add_among(w, condition, out);
	buf_add_text(out, ") u");
}

/* " FROM … WHERE …" of the arm, with what was put into `where`. */
static void add_from(struct writer *w, struct buf *out)
{
	const struct list_ask *ask = w->ask;

	buf_add_text(out, " FROM ");
	if (w->arm.source == SOURCE_LINK && w->arm.set)
		add_distinct(w, out);
	else if (w->arm.source == SOURCE_LINK)
		buf_printf(out, "%s u", link_of(w)->table);
	else if (w->arm.source == SOURCE_WORDS)
		buf_add_text(out, ask->dialect->text_index->from);
	else
		buf_printf(out, "%s t", ask->type->table);
	if (w->arm.source != SOURCE_WORDS && ask->path &&
	    !(w->arm.source == SOURCE_LINK && w->arm.set))
		add_index(w, ask->type->table,
			  w->arm.none && ask->path->empty ? ask->path->empty : ask->path->index,
			  out);
	if (w->arm.source != SOURCE_RECORD && w->joined) {
		buf_printf(out, " CROSS JOIN %s t", ask->type->table);
		add_index(w, ask->type->table, NULL, out);
		buf_add_text(out, " WHERE t.account_id = $1 AND t.id = ");
		add_column(w, field_of(ask->type, "id"), out);
		buf_add_text(out, " AND ");
	} else {
		buf_add_text(out, " WHERE ");
	}
	buf_add_slice(out, buf_slice(&w->where));
	w->text->failed |= w->where.failed;
}

static void add_order(struct writer *w, bool by_number, struct buf *out)
{
	const struct list_ask *ask = w->ask;
	const char *end = ask->descending ? " DESC" : "";

	buf_add_text(out, " ORDER BY ");
	if (by_number) {
		buf_printf(out, is_id(ask->sort) ? "1%s" : "1%s, 2%s", end, end);
		return;
	}
	if (is_id(ask->sort) && w->arm.source == SOURCE_WORDS) {
		buf_printf(out, "%s%s", ask->dialect->text_index->order, end);
		return;
	}
	if (!is_id(ask->sort)) {
		add_column(w, ask->sort, out);
		buf_printf(out, "%s, ", end);
	}
	add_column(w, field_of(ask->type, "id"), out);
	buf_add_text(out, end);
}

bool list_keeps_order(const struct condition *condition)
{
	return condition->op == FILTER_ANY && condition->count <= LIST_ARMS_MAX;
}

/* The arms of the driver's condition, at most LIST_ARMS_MAX + 1; at least one. */
static size_t arms_of(const struct list_ask *ask, struct arm arms[LIST_ARMS_MAX + 1])
{
	const struct condition *condition = NULL;
	size_t count = 0;

	for (size_t i = 0; i < ask->condition_count && !condition && ask->driver; i++)
		if (ask->conditions[i].field == ask->driver)
			condition = &ask->conditions[i];
	if (!condition || condition->op != FILTER_ANY) {
		arms[0] = (struct arm){.condition = condition};
		if (condition && condition->op == FILTER_CONTAINS && ask->dialect->text_index &&
		    (condition->field->flags & FIELD_SEARCHED))
			arms[0].source = SOURCE_WORDS;
		return 1;
	}
	for (size_t i = 0; i < condition->count && list_keeps_order(condition); i++)
		arms[count++] =
			(struct arm){.condition = condition, .value = &condition->values[i]};
	if (!list_keeps_order(condition))
		arms[count++] = (struct arm){.condition = condition, .set = true};
	for (size_t i = 0; i < count; i++)
		arms[i].source = condition->field->link ? SOURCE_LINK : SOURCE_RECORD;
	if (condition->none)
		arms[count++] = (struct arm){.condition = condition, .none = true};
	return count;
}

/* One arm's SELECT, ordered where `order` says so. */
static void write_arm(struct writer *w, bool keys, bool named, bool order)
{
	const struct list_ask *ask = w->ask;
	struct buf *sql = &w->text->sql, select = {0}, tail = {0};

	w->joined = false;
	buf_clear(&w->where);
	add_driver(w);
	add_others(w);
	add_places(w);
	if (keys && !is_id(ask->sort)) {
		add_column(w, ask->sort, &select);
		buf_add_text(&select, named ? " AS k, " : ", ");
	}
	if (keys) {
		add_column(w, field_of(ask->type, "id"), &select);
		buf_add_text(&select, named ? " AS i" : "");
	} else {
		buf_add_text(&select, "1");
	}
	if (order)
		add_order(w, false, &tail);
	buf_add_text(sql, "SELECT ");
	buf_add_slice(sql, buf_slice(&select));
	add_from(w, sql);
	buf_add_slice(sql, buf_slice(&tail));
	w->text->failed |= select.failed || tail.failed;
	buf_release(&select);
	buf_release(&tail);
}

static void begin(struct writer *w, const struct list_ask *ask, struct arena *arena,
		  struct list_text *text)
{
	*w = (struct writer){.ask = ask, .arena = arena, .text = text};
	assert(ask->condition_count <= 64);
	add_arg(w, DB_INT_VALUE(ask->account_id));
}

static void end(struct writer *w)
{
	buf_add_char(&w->text->sql, '\0');
	w->text->failed |= w->text->sql.failed;
	buf_release(&w->where);
}

void list_write_keys(const struct list_ask *ask, uint64_t offset, uint64_t limit,
		     struct arena *arena, struct list_text *text)
{
	struct arm arms[LIST_ARMS_MAX + 1];
	size_t count = arms_of(ask, arms);
	bool wrap = count > 1 && !ask->ordered, by_id = is_id(ask->sort);
	const char *end_of = ask->descending ? " DESC" : "";
	struct writer w;

	begin(&w, ask, arena, text);
	if (wrap)
		buf_printf(&text->sql, "SELECT %si FROM (", by_id ? "" : "k, ");
	for (size_t i = 0; i < count; i++) {
		w.arm = arms[i];
		buf_add_text(&text->sql, i ? " UNION ALL " : "");
		write_arm(&w, true, wrap, count == 1);
	}
	if (wrap) {
		buf_add_text(&text->sql, ") q ORDER BY ");
		if (!by_id)
			buf_printf(&text->sql, "k%s, ", end_of);
		buf_printf(&text->sql, "i%s", end_of);
	} else if (count > 1) {
		add_order(&w, true, &text->sql);
	}
	buf_printf(&text->sql, " LIMIT $%d", add_arg(&w, DB_INT_VALUE((int64_t)limit)));
	if (offset)
		buf_printf(&text->sql, " OFFSET $%d", add_arg(&w, DB_INT_VALUE((int64_t)offset)));
	end(&w);
}

void list_write_count(const struct list_ask *ask, uint64_t cap, struct arena *arena,
		      struct list_text *text)
{
	struct arm arms[LIST_ARMS_MAX + 1];
	size_t count = arms_of(ask, arms);
	struct writer w;

	begin(&w, ask, arena, text);
	buf_add_text(&text->sql, "SELECT count(*) FROM (");
	for (size_t i = 0; i < count; i++) {
		w.arm = arms[i];
		buf_add_text(&text->sql, i ? " UNION ALL " : "");
		write_arm(&w, false, false, false);
	}
	if (cap)
		buf_printf(&text->sql, " LIMIT $%d", add_arg(&w, DB_INT_VALUE((int64_t)cap)));
	buf_add_text(&text->sql, ") q");
	end(&w);
}
