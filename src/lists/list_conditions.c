/* SPDX-License-Identifier: MIT */
/* Writes the conditions of lists in SQL. */
#include <assert.h>

#include "list_writer.h"

int list_add_arg(struct list_writer *w, struct db_value value)
{
	struct list_text *text = w->text;

	assert(text->arg_count < LIST_ARGS_MAX);
	text->args[text->arg_count++] = value;
	return (int)text->arg_count;
}

size_t list_condition_number(const struct list_writer *w, const struct condition *condition)
{
	return (size_t)(condition - w->plan->conditions);
}

int list_keep_arg(int *arg, struct list_writer *w, struct db_value value)
{
	if (!*arg)
		*arg = list_add_arg(w, value);
	return *arg;
}

/* Adds an argument with the values as a JSON array. */
static int list_add_set_arg(struct list_writer *w, const struct condition *condition)
{
	int *arg = &w->set_args[list_condition_number(w, condition)];
	struct buf json = {0};
	const char *copy;

	if (*arg)
		return *arg;
	for (size_t i = 0; i < condition->count; i++) {
		buf_add_char(&json, i ? ',' : '[');
		buf_add_int(&json, condition->values[i]);
	}
	buf_add_char(&json, ']');
	copy = json.failed ? NULL : arena_copy(w->arena, buf_slice(&json));
	w->text->failed |= !copy;
	*arg = list_add_arg(w, DB_TEXT_VALUE(((struct slice){copy, copy ? json.len : 0})));
	buf_release(&json);
	return *arg;
}

void list_add_among(struct list_writer *w, const struct condition *condition, struct buf *out)
{
	char arg[16];

	snprintf(arg, sizeof(arg), "$%d", list_add_set_arg(w, condition));
	buf_add_text(out, " IN ");
	put_into(w->plan->dialect->among, arg, out);
}

bool list_is_id(const struct field *field)
{
	return field->offset == offsetof(struct record, id);
}

const struct field_link *list_branch_link(const struct list_writer *w)
{
	return w->branch.condition->field->link;
}

static bool link_copies(const struct field_link *link, const struct field *field)
{
	for (size_t i = 0; link->copies[i]; i++)
		if (strcmp(link->copies[i], field->column) == 0)
			return true;
	return false;
}

void list_add_column(struct list_writer *w, const struct field *field, struct buf *out)
{
	if (w->branch.source == SOURCE_LINK && list_is_id(field)) {
		buf_printf(out, "u.%s", list_branch_link(w)->owner);
	} else if (w->branch.source == SOURCE_LINK && link_copies(list_branch_link(w), field)) {
		buf_printf(out, "u.%s", field->column);
	} else if (w->branch.source == SOURCE_TEXT && list_is_id(field)) {
		buf_add_text(out, w->plan->dialect->text_index->id);
	} else if (w->branch.source == SOURCE_PENDING && list_is_id(field)) {
		buf_add_text(out, w->plan->dialect->text_index->pending.id);
	} else {
		w->joined = true;
		buf_printf(out, "t.%s", field->column);
	}
}

void list_add_and(struct list_writer *w)
{
	buf_add_text(&w->where, " AND ");
}

/* The condition that a member of the record's list is among the values. */
static void list_add_link_exists(struct list_writer *w, const struct condition *condition)
{
	const struct field_link *link = condition->field->link;
	const struct field *id = field_of(w->plan->type, "id");

	buf_printf(&w->where,
		   "EXISTS (SELECT 1 FROM %s x WHERE x.account_id = $1 AND x.%s = ", link->table,
		   link->owner);
	list_add_column(w, id, &w->where);
	buf_printf(&w->where, " AND x.%s", link->member);
	list_add_among(w, condition, &w->where);
	buf_add_char(&w->where, ')');
}

void list_add_none(struct list_writer *w, const struct condition *condition)
{
	const struct field *field = condition->field;

	if (field->link) {
		list_add_column(w, field_of(w->plan->type, field->link->empty), &w->where);
		buf_add_text(&w->where, " = 1");
	} else {
		list_add_column(w, field, &w->where);
		buf_add_text(&w->where, " IS NULL");
	}
}

/* FILTER_ANY, for a condition that is not the lead's. */
static void list_add_any_of(struct list_writer *w, const struct condition *condition)
{
	bool both = condition->count && condition->none;
	int *arg = &w->value_args[list_condition_number(w, condition)][0];

	if (both)
		buf_add_char(&w->where, '(');
	if (condition->count && condition->field->link) {
		list_add_link_exists(w, condition);
	} else if (condition->count) {
		list_add_column(w, condition->field, &w->where);
		if (condition->count == 1)
			buf_printf(&w->where, " = $%d",
				   list_keep_arg(arg, w, DB_INT_VALUE(condition->values[0])));
		else
			list_add_among(w, condition, &w->where);
	}
	if (both)
		buf_add_text(&w->where, " OR ");
	if (condition->none)
		list_add_none(w, condition);
	if (both)
		buf_add_char(&w->where, ')');
}

/* Adds an argument with the needle as a pattern for LIKE, with a backslash before the characters
 * that LIKE would interpret. */
static int list_add_pattern_arg(struct list_writer *w, const struct condition *condition, int *arg)
{
	struct buf pattern = {0};
	const char *copy;

	if (*arg)
		return *arg;
	buf_add_char(&pattern, '%');
	for (size_t i = 0; i < condition->text.len; i++) {
		if (strchr("%_\\", condition->text.ptr[i]))
			buf_add_char(&pattern, '\\');
		buf_add_char(&pattern, condition->text.ptr[i]);
	}
	buf_add_char(&pattern, '%');
	copy = pattern.failed ? NULL : arena_copy(w->arena, buf_slice(&pattern));
	w->text->failed |= !copy;
	*arg = list_add_arg(w, DB_TEXT_VALUE(((struct slice){copy, copy ? pattern.len : 0})));
	buf_release(&pattern);
	return *arg;
}

static void list_add_contains(struct list_writer *w, const struct condition *condition, int *arg)
{
	const char *position = w->plan->dialect->position;

	if (position)
		buf_printf(&w->where, "%s(", position);
	list_add_column(w, condition->field, &w->where);
	if (position)
		buf_printf(&w->where, ", $%d) > 0",
			   list_keep_arg(arg, w, DB_TEXT_VALUE(condition->text)));
	else
		buf_printf(&w->where, " LIKE $%d", list_add_pattern_arg(w, condition, arg));
}

void list_add_condition(struct list_writer *w, const struct condition *condition)
{
	int *arg = &w->value_args[list_condition_number(w, condition)][0];

	switch (condition->op) {
	case FILTER_ANY:
		list_add_any_of(w, condition);
		break;
	case FILTER_FROM:
	case FILTER_TO:
		list_add_column(w, condition->field, &w->where);
		buf_printf(&w->where, " %s $%d", condition->op == FILTER_FROM ? ">=" : "<=",
			   list_keep_arg(arg, w, DB_INT_VALUE(condition->bound)));
		break;
	case FILTER_IS:
		list_add_column(w, condition->field, &w->where);
		buf_printf(&w->where, " = $%d",
			   list_keep_arg(arg, w, DB_TEXT_VALUE(condition->text)));
		break;
	case FILTER_CONTAINS:
		list_add_contains(w, condition, arg);
		break;
	}
}
