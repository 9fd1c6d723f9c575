/* SPDX-License-Identifier: MIT */
/* Writes the statements of lists: a branch for each value of the lead's condition, joined by UNION
 * ALL. The statement names the index that plan.c chose by counting, so that the database does not
 * choose another. */
#include <assert.h>

#include "base/text.h"
#include "list_writer.h"

/* The text index looks up at most this much of the beginning of a needle. */
#define PHRASE_CHARS 64

void list_text_release(struct list_text *text)
{
	buf_release(&text->sql);
	*text = (struct list_text){0};
}

/* Whether the branch finds the tasks of many staff members, each once. */
static bool branch_is_distinct(const struct list_writer *w)
{
	return w->branch.source == SOURCE_LINK && w->branch.set && !w->plan->repeats;
}

/* The branch of one staff member's tasks. If the list is of several staff members, each has a
 * branch. A task of more than one of them is only in the branch of the first. */
static void branch_add_link(struct list_writer *w)
{
	const struct condition *condition = w->branch.condition;
	const struct field_link *link = condition->field->link;

	buf_add_text(&w->where, "u.account_id = $1");
	if (branch_is_distinct(w))
		return; /* see branch_add_distinct() */
	if (w->branch.set) {
		buf_printf(&w->where, " AND u.%s", link->member);
		list_add_among(w, condition, &w->where);
		return;
	}
	buf_printf(&w->where, " AND u.%s = $%d", link->member,
		   list_add_arg(w, DB_INT_VALUE(*w->branch.value)));
	if (condition->count == 1 || w->plan->repeats)
		return;
	/* Without the + SQLite 3.46 would look up each value of the set in the index, for every
	 * row. With it SQLite looks up the range below the row's member. */
	buf_printf(&w->where,
		   " AND NOT EXISTS (SELECT 1 FROM %s x WHERE x.account_id = $1"
		   " AND x.%s = u.%s AND x.%s < u.%s AND +x.%s",
		   link->table, link->owner, link->owner, link->member, link->member, link->member);
	list_add_among(w, condition, &w->where);
	buf_add_char(&w->where, ')');
}

/* Whether the text has U+FFFD, U+FFFE or U+FFFF. FTS5 takes them for the same character, so its
 * matches must be compared again. */
static bool text_has_noncharacter(struct slice text)
{
	for (size_t i = 2; i < text.len; i++)
		if ((unsigned char)text.ptr[i - 2] == 0xef &&
		    (unsigned char)text.ptr[i - 1] == 0xbf && (unsigned char)text.ptr[i] >= 0xbd)
			return true;
	return false;
}

static void branch_add_text(struct list_writer *w)
{
	const struct condition *condition = w->branch.condition;
	const struct text_index *index = w->plan->dialect->text_index;
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
		   list_keep_arg(&w->value_args[list_condition_number(w, condition)][1], w,
				 DB_TEXT_VALUE(((struct slice){copy, copy ? phrase.len : 0}))));
	buf_release(&phrase);
	if (w->plan->pending) {
		list_add_and(w);
		buf_add_text(&w->where, index->pending.is_not);
	}
	if (front.len < condition->text.len || text_has_noncharacter(front)) {
		list_add_and(w);
		list_add_condition(w, condition);
	}
}

/* The condition on the account, and that of the lead. */
static void branch_add_lead(struct list_writer *w)
{
	const struct branch *branch = &w->branch;

	if (branch->source == SOURCE_LINK) {
		branch_add_link(w);
		return;
	}
	if (branch->source == SOURCE_TEXT) {
		branch_add_text(w);
		return;
	}
	buf_add_text(&w->where, branch->source == SOURCE_PENDING
					? w->plan->dialect->text_index->pending.is
					: "t.account_id = $1");
	if (!branch->condition)
		return;
	list_add_and(w);
	if (branch->none) {
		list_add_none(w, branch->condition);
	} else if (branch->set) {
		list_add_column(w, branch->condition->field, &w->where);
		list_add_among(w, branch->condition, &w->where);
	} else if (branch->value) {
		list_add_column(w, branch->condition->field, &w->where);
		buf_printf(&w->where, " = $%d", list_add_arg(w, DB_INT_VALUE(*branch->value)));
	} else {
		list_add_condition(w, branch->condition);
	}
}

/* Whether the condition is a bound of the sort field that can be left out. It can if there is a
 * position at the same end: the position is within the bound. With both, the database might look up
 * the bound instead of the position. */
static bool condition_is_implied(const struct list_plan *plan, const struct condition *condition)
{
	const struct list_position *low = plan->descending ? plan->until : plan->after;
	const struct list_position *high = plan->descending ? plan->after : plan->until;

	return plan->ordered && condition->field == plan->sort &&
	       ((condition->op == FILTER_FROM && low) || (condition->op == FILTER_TO && high));
}

bool list_is_looked_up(const struct list_plan *plan, const struct condition *condition)
{
	return condition->field == plan->lead || condition->field == plan->second ||
	       (plan->ordered && condition->field == plan->sort &&
		condition->op != FILTER_CONTAINS);
}

static void branch_add_others(struct list_writer *w)
{
	const struct list_plan *plan = w->plan;

	for (size_t i = 0; i < plan->condition_count; i++) {
		const struct condition *condition = &plan->conditions[i];

		if (condition == w->branch.condition || condition_is_implied(plan, condition) ||
		    (plan->lead_only && !list_is_looked_up(plan, condition)))
			continue;
		list_add_and(w);
		list_add_condition(w, condition);
	}
}

/* Adds the condition that the record is of the plan's set. */
static void branch_add_among(struct list_writer *w)
{
	if (!w->plan->among.ptr)
		return;
	list_add_and(w);
	buf_printf(&w->where, "%s($%d, ", w->plan->dialect->bit,
		   list_add_arg(w, DB_BYTES_VALUE(w->plan->among)));
	list_add_column(w, field_of(w->plan->type, "id"), &w->where);
	buf_add_char(&w->where, ')');
}

/* Adds the comparison of the record's place in the order with `position`. */
static void branch_add_position(struct list_writer *w, const struct list_position *position,
				const char *op)
{
	const struct list_plan *plan = w->plan;
	const struct field *id = field_of(plan->type, "id");
	int id_arg;

	list_add_and(w);
	if (list_is_id(plan->sort)) {
		id_arg = list_add_arg(w, DB_INT_VALUE(position->id));
		if (w->branch.source == SOURCE_TEXT)
			buf_printf(&w->where, "%s %s %s + $%d", plan->dialect->text_index->order,
				   op, plan->dialect->text_index->first, id_arg);
		else {
			list_add_column(w, id, &w->where);
			buf_printf(&w->where, " %s $%d", op, id_arg);
		}
		return;
	}
	buf_add_char(&w->where, '(');
	list_add_column(w, plan->sort, &w->where);
	buf_add_text(&w->where, ", ");
	list_add_column(w, id, &w->where);
	buf_printf(&w->where, ") %s ($%d, ", op,
		   list_add_arg(w, plan->sort->type == FIELD_TEXT
					   ? DB_TEXT_VALUE(position->text)
					   : DB_INT_VALUE(position->integer)));
	buf_printf(&w->where, "$%d)", list_add_arg(w, DB_INT_VALUE(position->id)));
}

/* Adds the positions. A text index has rows of all accounts: if there is no position, this adds the
 * first or the last row of the account. */
static void branch_add_positions(struct list_writer *w)
{
	const struct list_plan *plan = w->plan;
	const struct text_index *index = plan->dialect->text_index;
	bool ends = w->branch.source == SOURCE_TEXT, by_id = list_is_id(plan->sort);
	const struct list_position *low = plan->descending ? plan->until : plan->after;
	const struct list_position *high = plan->descending ? plan->after : plan->until;

	if (low)
		branch_add_position(w, low, plan->descending ? ">=" : ">");
	if (ends && !(low && by_id))
		buf_printf(&w->where, " AND %s >= %s", index->order, index->first);
	if (high)
		branch_add_position(w, high, plan->descending ? "<" : "<=");
	if (ends && !(high && by_id))
		buf_printf(&w->where, " AND %s <= %s", index->order, index->last);
}

/* Names the index by which to read a table; NULL: its key. */
static void branch_add_index(const struct list_writer *w, const char *table, const char *index,
			     struct buf *out)
{
	const struct sql_dialect *dialect = w->plan->dialect;
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

/* The tasks of many staff members, each once. */
static void branch_add_distinct(struct list_writer *w, struct buf *out)
{
	const struct condition *condition = w->branch.condition;
	const struct field_link *link = condition->field->link;

	buf_printf(out, "(SELECT DISTINCT account_id, %s", link->owner);
	for (size_t i = 0; link->copies[i]; i++)
		buf_printf(out, ", %s", link->copies[i]);
	buf_printf(out, " FROM %s", link->table);
	branch_add_index(w, link->table, w->plan->index->name, out);
	buf_printf(out, " WHERE account_id = $1 AND %s", link->member);
	list_add_among(w, condition, out);
	buf_add_text(out, ") u");
}

/* " FROM … WHERE …" of the branch, with the conditions in w->where. */
static void branch_add_from(struct list_writer *w, struct buf *out)
{
	const struct list_plan *plan = w->plan;

	buf_add_text(out, " FROM ");
	if (branch_is_distinct(w))
		branch_add_distinct(w, out);
	else if (w->branch.source == SOURCE_LINK)
		buf_printf(out, "%s u", list_branch_link(w)->table);
	else if (w->branch.source == SOURCE_TEXT)
		buf_add_text(out, plan->dialect->text_index->from);
	else if (w->branch.source == SOURCE_PENDING)
		buf_add_text(out, plan->dialect->text_index->pending.from);
	else
		buf_printf(out, "%s t", plan->type->table);
	if (w->branch.source != SOURCE_TEXT && plan->index && !branch_is_distinct(w))
		branch_add_index(w, plan->type->table,
				 w->branch.none && plan->index->empty ? plan->index->empty
								      : plan->index->name,
				 out);
	if (w->branch.source != SOURCE_RECORD && w->joined) {
		buf_printf(out, " CROSS JOIN %s t", plan->type->table);
		branch_add_index(w, plan->type->table, NULL, out);
		buf_add_text(out, " WHERE t.account_id = $1 AND t.id = ");
		list_add_column(w, field_of(plan->type, "id"), out);
		buf_add_text(out, " AND ");
	} else {
		buf_add_text(out, " WHERE ");
	}
	buf_add_slice(out, buf_slice(&w->where));
	w->text->failed |= w->where.failed;
}

static void branch_add_order(struct list_writer *w, bool by_number, struct buf *out)
{
	const struct list_plan *plan = w->plan;
	const char *end = plan->descending ? " DESC" : "";

	buf_add_text(out, " ORDER BY ");
	if (by_number) {
		buf_printf(out, list_is_id(plan->sort) ? "1%s" : "1%s, 2%s", end, end);
		return;
	}
	if (list_is_id(plan->sort) && w->branch.source == SOURCE_TEXT) {
		buf_printf(out, "%s%s", plan->dialect->text_index->order, end);
		return;
	}
	if (!list_is_id(plan->sort)) {
		list_add_column(w, plan->sort, out);
		buf_printf(out, "%s, ", end);
	}
	list_add_column(w, field_of(plan->type, "id"), out);
	buf_add_text(out, end);
}

bool list_keeps_order(const struct condition *condition)
{
	return condition->op == FILTER_ANY && condition->count <= LIST_BRANCHES_MAX;
}

/* The branches of the lead's condition: 1 to LIST_BRANCHES_MAX + 1. */
static size_t plan_branches(const struct list_plan *plan,
			    struct branch branches[LIST_BRANCHES_MAX + 1])
{
	const struct condition *condition = NULL;
	size_t count = 0;

	for (size_t i = 0; i < plan->condition_count && !condition && plan->lead; i++)
		if (plan->conditions[i].field == plan->lead)
			condition = &plan->conditions[i];
	if (!condition || condition->op != FILTER_ANY) {
		branches[0] = (struct branch){.condition = condition};
		if (condition && condition->op == FILTER_CONTAINS && plan->dialect->text_index &&
		    (condition->field->flags & FIELD_SEARCHED))
			branches[0].source = SOURCE_TEXT;
		if (branches[0].source != SOURCE_TEXT || !plan->pending)
			return 1;
		/* The titles that wait for the text index, which docket compares itself. */
		branches[1] = (struct branch){.condition = condition, .source = SOURCE_PENDING};
		return 2;
	}
	for (size_t i = 0; i < condition->count && list_keeps_order(condition); i++)
		branches[count++] =
			(struct branch){.condition = condition, .value = &condition->values[i]};
	if (!list_keeps_order(condition))
		branches[count++] = (struct branch){.condition = condition, .set = true};
	for (size_t i = 0; i < count; i++)
		branches[i].source = condition->field->link ? SOURCE_LINK : SOURCE_RECORD;
	if (condition->none)
		branches[count++] = (struct branch){.condition = condition, .none = true};
	return count;
}

/* Writes the SELECT of one branch. It selects the keys if `keys`, else the number 1. `named`: the
 * columns of the keys get names. `order`: the SELECT has an ORDER BY. */
static void branch_write(struct list_writer *w, bool keys, bool named, bool order)
{
	const struct list_plan *plan = w->plan;
	struct buf *sql = &w->text->sql, select = {0}, tail = {0};

	w->joined = false;
	buf_clear(&w->where);
	branch_add_lead(w);
	branch_add_others(w);
	branch_add_among(w);
	branch_add_positions(w);
	if (keys && !list_is_id(plan->sort)) {
		list_add_column(w, plan->sort, &select);
		buf_add_text(&select, named ? " AS k, " : ", ");
	}
	if (keys) {
		list_add_column(w, field_of(plan->type, "id"), &select);
		buf_add_text(&select, named ? " AS i" : "");
	} else {
		buf_add_text(&select, "1");
	}
	if (order)
		branch_add_order(w, false, &tail);
	buf_add_text(sql, "SELECT ");
	buf_add_slice(sql, buf_slice(&select));
	branch_add_from(w, sql);
	buf_add_slice(sql, buf_slice(&tail));
	w->text->failed |= select.failed || tail.failed;
	buf_release(&select);
	buf_release(&tail);
}

static void writer_begin(struct list_writer *w, const struct list_plan *plan, struct arena *arena,
			 struct list_text *text)
{
	*w = (struct list_writer){.plan = plan, .arena = arena, .text = text};
	assert(plan->condition_count <= 64);
	list_add_arg(w, DB_INT_VALUE(plan->account_id));
}

static void writer_end(struct list_writer *w)
{
	buf_add_char(&w->text->sql, '\0');
	w->text->failed |= w->text->sql.failed;
	buf_release(&w->where);
}

void list_write_keys(const struct list_plan *plan, uint64_t offset, uint64_t limit,
		     struct arena *arena, struct list_text *text)
{
	struct branch branches[LIST_BRANCHES_MAX + 1];
	size_t count = plan_branches(plan, branches);
	bool wrap = count > 1 && !plan->ordered, by_id = list_is_id(plan->sort);
	const char *end_of = plan->descending ? " DESC" : "";
	struct list_writer w;

	writer_begin(&w, plan, arena, text);
	if (wrap)
		buf_printf(&text->sql, "SELECT %si FROM (", by_id ? "" : "k, ");
	for (size_t i = 0; i < count; i++) {
		w.branch = branches[i];
		buf_add_text(&text->sql, i ? " UNION ALL " : "");
		branch_write(&w, true, wrap, count == 1);
	}
	if (wrap) {
		buf_add_text(&text->sql, ") q ORDER BY ");
		if (!by_id)
			buf_printf(&text->sql, "k%s, ", end_of);
		buf_printf(&text->sql, "i%s", end_of);
	} else if (count > 1) {
		branch_add_order(&w, true, &text->sql);
	}
	buf_printf(&text->sql, " LIMIT $%d", list_add_arg(&w, DB_INT_VALUE((int64_t)limit)));
	if (offset)
		buf_printf(&text->sql, " OFFSET $%d",
			   list_add_arg(&w, DB_INT_VALUE((int64_t)offset)));
	writer_end(&w);
}

void list_write_count(const struct list_plan *plan, uint64_t cap, struct arena *arena,
		      struct list_text *text)
{
	struct branch branches[LIST_BRANCHES_MAX + 1];
	size_t count = plan_branches(plan, branches);
	struct list_writer w;

	writer_begin(&w, plan, arena, text);
	buf_add_text(&text->sql, "SELECT count(*) FROM (");
	for (size_t i = 0; i < count; i++) {
		w.branch = branches[i];
		buf_add_text(&text->sql, i ? " UNION ALL " : "");
		branch_write(&w, false, false, false);
	}
	if (cap)
		buf_printf(&text->sql, " LIMIT $%d", list_add_arg(&w, DB_INT_VALUE((int64_t)cap)));
	buf_add_text(&text->sql, ") q");
	writer_end(&w);
}

void list_write_bits(const struct list_plan *plan, struct arena *arena, struct list_text *text)
{
	struct branch branches[LIST_BRANCHES_MAX + 1];
	size_t count = plan_branches(plan, branches);
	struct list_writer w;

	writer_begin(&w, plan, arena, text);
	buf_printf(&text->sql, "SELECT %s(q.i) FROM (", plan->dialect->bits);
	for (size_t i = 0; i < count; i++) {
		w.branch = branches[i];
		buf_add_text(&text->sql, i ? " UNION ALL " : "");
		branch_write(&w, true, true, false);
	}
	buf_add_text(&text->sql, ") q");
	writer_end(&w);
}
