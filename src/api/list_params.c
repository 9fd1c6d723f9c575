/* SPDX-License-Identifier: MIT */
/* Reads the parameters of lists: those in list_parameters, which every list has, and the type's
 * filters. One answer reports the faults of all of them. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "api/api.h"
#include "api_private.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "json/write.h"

#define OFFSET_MAX (INT64_MAX / 2)

struct reader {
	struct call *call;
	struct list_request *list;
	const struct record_type *type;
	struct condition *conditions;      /* by filter */
	const char **filters_sent;         /* by filter: the name it came under, or NULL */
	const char *sent[LIST_PARAMETERS]; /* by row: the same */
	bool page_given, expand_given;
	struct slice after;
	unsigned cursor_parts; /* what must be the same in `after`: cursor.h */
};

typedef void read_fn(struct reader *reader, const struct param *param);

static struct faults *reader_faults(struct reader *reader)
{
	return &reader->call->faults;
}

static const char *reader_shown(struct reader *reader, struct slice value)
{
	return text_shown(&reader->call->http->arena, value, SHOWN_CHARS);
}

/* A positive integer up to `most`. */
static bool value_integer(struct reader *reader, const char *name, struct slice text, int64_t most,
			  int64_t *value_out)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text.ptr, &end, 10);
	if (text.len == 0 ||
	    strspn(text.ptr + (text.ptr[0] == '-'), "0123456789") + (text.ptr[0] == '-') <
		    text.len ||
	    end != text.ptr + text.len) {
		faults_add(reader_faults(reader), name, FAULT_FORMAT,
			   "must be an integer; got \"%s\"", reader_shown(reader, text));
		return false;
	}
	if (errno || value < 1 || value > most) {
		const char *wanted = arena_printf(&reader->call->http->arena,
						  "must be from 1 to %lld", (long long)most);

		/* INT64_MAX is no limit that means anything to a client. */
		if (most == INT64_MAX)
			wanted = value < 1 ? "must be 1 or greater" : "is too large";
		reader_faults(reader)->nomem |= !wanted;
		faults_add(reader_faults(reader), name, FAULT_RANGE, "%s; got %s",
			   wanted ? wanted : "", reader_shown(reader, text));
		return false;
	}
	*value_out = value;
	return true;
}

/* The index of `value` in `choices`, which ends with NULL; -1, with a fault, if it is not there. */
static int value_choice(struct reader *reader, const char *name, struct slice value,
			const char *const *choices)
{
	struct buf list = {0};

	for (int i = 0; choices[i]; i++)
		if (slice_is(value, choices[i]))
			return i;
	for (int i = 0; choices[i]; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
	faults_add(reader_faults(reader), name, FAULT_CHOICE, "must be %.*s; got \"%s\"",
		   (int)list.len, list.ptr ? list.ptr : "", reader_shown(reader, value));
	buf_release(&list);
	return -1;
}

static void param_read_page(struct reader *reader, const struct param *param)
{
	int64_t page;

	reader->page_given = true;
	if (value_integer(reader, param->name, param->value, INT64_MAX, &page))
		reader->list->page = (uint64_t)page;
}

static void param_read_per_page(struct reader *reader, const struct param *param)
{
	int64_t limit;

	if (value_integer(reader, param->name, param->value, list_parameters[LIST_PER_PAGE].most,
			  &limit))
		reader->list->query.limit = (size_t)limit;
}

static void param_read_sort(struct reader *reader, const struct param *param)
{
	const struct record_lists *lists = reader->type->lists;
	const char *names[17] = {NULL};
	int row;

	for (size_t i = 0; i < lists->sort_count && i < 16; i++)
		names[i] = lists->sorts[i].name;
	row = value_choice(reader, param->name, param->value, names);
	if (row < 0)
		return;
	reader->cursor_parts |= CURSOR_SORT;
	reader->list->sort_row = (size_t)row;
}

static void param_read_dir(struct reader *reader, const struct param *param)
{
	int row =
		value_choice(reader, param->name, param->value, list_parameters[LIST_DIR].choices);

	reader->cursor_parts |= row >= 0 ? CURSOR_DIR : 0;
	reader->list->query.descending = row == 1;
}

static void param_read_mode(struct reader *reader, const struct param *param)
{
	reader->list->count = value_choice(reader, param->name, param->value,
					   list_parameters[LIST_MODE].choices) == 0;
}

static void param_read_after(struct reader *reader, const struct param *param)
{
	reader->after = param->value;
}

typedef void read_one_fn(struct reader *reader, const struct param *param, struct slice value,
			 size_t row);

/* Calls `one` for each part between commas. */
static void param_read_several(struct reader *reader, const struct param *param, size_t row,
			       read_one_fn *one)
{
	struct slice rest = param->value;

	for (bool last = false; !last;) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		struct slice part = {rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
		const char *copy = arena_copy(&reader->call->http->arena, part);

		if (!copy) {
			reader_faults(reader)->nomem = true;
			return;
		}
		if (part.len == 0)
			faults_add(reader_faults(reader), param->name, FAULT_BLANK,
				   "must not contain an empty value");
		else
			one(reader, param, (struct slice){copy, part.len}, row);
		last = !comma;
		rest = (struct slice){rest.ptr + part.len + !last, rest.len - part.len - !last};
	}
}

static void expansion_add(struct reader *reader, const struct param *param, struct slice value,
			  size_t unused)
{
	const struct record_lists *lists = reader->type->lists;
	const char *names[34] = {NULL};
	size_t count = 0;
	int row;

	(void)unused;
	for (; count < lists->expansion_count && count < 32; count++)
		names[count] = lists->expansions[count].name;
	names[count] = "none"; /* not even the account's default */
	row = value_choice(reader, param->name, value, names);
	if (row >= 0 && (size_t)row < count)
		reader->list->query.expansions |= UINT32_C(1) << row;
}

static void param_read_expand(struct reader *reader, const struct param *param)
{
	/* The first one replaces the account's default. */
	if (!reader->expand_given)
		reader->list->query.expansions = 0;
	reader->expand_given = true;
	param_read_several(reader, param, 0, expansion_add);
}

/* How to read the parameters of list_parameters. */
static read_fn *const readers[LIST_PARAMETERS] = {
	[LIST_PAGE] = param_read_page,     [LIST_PER_PAGE] = param_read_per_page,
	[LIST_SORT] = param_read_sort,     [LIST_DIR] = param_read_dir,
	[LIST_MODE] = param_read_mode,     [LIST_AFTER] = param_read_after,
	[LIST_EXPAND] = param_read_expand,
};

static int values_by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void condition_sort_values(struct condition *condition)
{
	size_t kept = 0;

	qsort(condition->values, condition->count, sizeof(*condition->values), values_by_number);
	for (size_t i = 0; i < condition->count; i++)
		if (i == 0 || condition->values[i] != condition->values[i - 1])
			condition->values[kept++] = condition->values[i];
	condition->count = kept;
}

static void condition_add_value(struct reader *reader, const struct param *param,
				struct condition *condition, int64_t value)
{
	if (condition->count == LIST_VALUES_MAX)
		condition_sort_values(condition); /* a value that was given twice counts once */
	if (condition->count == LIST_VALUES_MAX) {
		faults_add(reader_faults(reader), param->name, FAULT_TOO_MANY,
			   "must have at most %d values", LIST_VALUES_MAX);
		condition->count = LIST_VALUES_MAX + 1; /* so that the fault is added once */
	}
	if (condition->count > LIST_VALUES_MAX)
		return;
	if (!condition->values)
		condition->values = arena_alloc(&reader->call->http->arena,
						LIST_VALUES_MAX * sizeof(*condition->values));
	if (!condition->values)
		reader_faults(reader)->nomem = true;
	else
		condition->values[condition->count++] = value;
}

static void condition_read_value(struct reader *reader, const struct param *param,
				 struct slice value, size_t row)
{
	const struct filter *filter = &reader->type->lists->filters[row];
	struct condition *condition = &reader->conditions[row];
	int64_t number = -1; /* no value, or one at fault */

	if (filter->none && slice_is(value, "none")) {
		condition->none = true;
	} else if (condition->field->type == FIELD_BOOL) {
		static const char *const names[] = {"false", "true", NULL};

		number = slice_is(value, "0")   ? 0
			 : slice_is(value, "1") ? 1
						: value_choice(reader, param->name, value, names);
	} else if (condition->field->type == FIELD_CHOICE) {
		number = value_choice(reader, param->name, value, condition->field->choices);
	} else {
		(void)value_integer(reader, param->name, value, INT64_MAX, &number);
	}
	if (number >= 0)
		condition_add_value(reader, param, condition, number);
}

static void condition_read_bound(struct reader *reader, const struct param *param,
				 struct condition *condition)
{
	enum time_bound bound = condition->op == FILTER_TO ? TIME_LAST : TIME_FIRST;
	int32_t day;

	if (condition->field->type == FIELD_DATE) {
		if (date_parse(param->value, &day))
			condition->bound = day;
		else
			faults_add(reader_faults(reader), param->name, FAULT_FORMAT,
				   "must be a date such as 2023-02-14; got \"%s\"",
				   reader_shown(reader, param->value));
	} else if (!timestamp_parse(param->value, bound, &condition->bound)) {
		faults_add(reader_faults(reader), param->name, FAULT_FORMAT,
			   "must be a time such as 2023-02-14T09:30:00Z, or a date such as "
			   "2023-02-14; got \"%s\"",
			   reader_shown(reader, param->value));
	}
}

static void param_read_filter(struct reader *reader, const struct param *param, size_t row)
{
	const struct filter *filter = &reader->type->lists->filters[row];
	struct condition *condition = &reader->conditions[row];

	condition->field = field_of(reader->type, filter->field);
	condition->op = filter->op;
	if (filter->op == FILTER_ANY)
		param_read_several(reader, param, row, condition_read_value);
	else if (filter->op == FILTER_IS)
		condition->text = param->value;
	else if (filter->op == FILTER_CONTAINS)
		reader_faults(reader)->nomem |=
			text_fold(&reader->call->http->arena, param->value, &condition->text) != OK;
	else
		condition_read_bound(reader, param, condition);
}

/* False, with a fault, if the value must not be read. `sent`: the earlier name, or NULL. */
static bool param_may_come(struct reader *reader, const struct param *param, bool several,
			   const char **sent)
{
	const char *before = *sent;

	/* A fault even if unknown parameters are ignored: the client means a known one. */
	if (!several && param->base.len < strlen(param->name)) {
		faults_add(reader_faults(reader), param->name, FAULT_UNKNOWN_FIELD,
			   "is not a known parameter: %.*s takes one value, without brackets",
			   (int)param->base.len, param->base.ptr);
		return false;
	}
	*sent = param->name;
	if (before && !several) {
		if (strcmp(before, param->name) == 0)
			faults_add(reader_faults(reader), param->name, FAULT_REPEATED,
				   "is given twice");
		else
			faults_add(reader_faults(reader), param->name, FAULT_REPEATED,
				   "is given twice (also as \"%s\")", before);
		return false;
	}
	if (param->value.len == 0) {
		faults_add(reader_faults(reader), param->name, FAULT_BLANK, "must not be empty");
		return false;
	}
	return true;
}

static bool param_is(const struct param *param, const char *name)
{
	return name && slice_is(param->base, name);
}

/* The last row is only for kinds that have expansions. */
static size_t reader_row_count(const struct reader *reader)
{
	return reader->type->lists->expansion_count ? LIST_PARAMETERS : LIST_EXPAND;
}

static bool reader_row(struct reader *reader, const struct param *param, bool list)
{
	for (size_t i = list ? 0 : LIST_EXPAND; i < reader_row_count(reader); i++) {
		if (!param_is(param, list_parameters[i].name))
			continue;
		if (param_may_come(reader, param, i == LIST_EXPAND, &reader->sent[i]))
			readers[i](reader, param);
		return true;
	}
	return false;
}

static bool reader_filter(struct reader *reader, const struct param *param)
{
	const struct record_lists *lists = reader->type->lists;
	size_t before = reader_faults(reader)->count;

	for (size_t i = 0; i < lists->filter_count; i++) {
		const struct filter *filter = &lists->filters[i];

		if (!param_is(param, filter->name) && !param_is(param, filter->also[0]) &&
		    !param_is(param, filter->also[1]))
			continue;
		if (param_may_come(reader, param, filter->op == FILTER_ANY,
				   &reader->filters_sent[i]))
			param_read_filter(reader, param, i);
		/* Without this filter, the digest cannot be compared with the cursor's. */
		if (reader_faults(reader)->count > before)
			reader->cursor_parts &= ~CURSOR_FILTERS;
		return true;
	}
	return false;
}

/* The names of all parameters that the request takes; NULL-terminated. */
static const char **reader_names(struct reader *reader, bool list)
{
	const struct record_lists *lists = reader->type->lists;
	size_t room = LIST_PARAMETERS + 3 * lists->filter_count + 1, count = 0;
	const char **names = arena_alloc(&reader->call->http->arena, room * sizeof(*names));

	for (size_t i = list ? 0 : LIST_EXPAND; names && i < reader_row_count(reader); i++)
		names[count++] = list_parameters[i].name;
	for (size_t i = 0; names && list && i < lists->filter_count; i++) {
		const struct filter *filter = &lists->filters[i];

		names[count++] = filter->name;
		for (size_t j = 0; j < COUNT_OF(filter->also) && filter->also[j]; j++)
			names[count++] = filter->also[j];
	}
	return names;
}

/* Sets the digest of the filters, which does not depend on how they were written. */
static void reader_digest_filters(struct reader *reader)
{
	const struct list_query *query = &reader->list->query;
	struct buf text = {0};

	json_open_array(&text);
	for (size_t i = 0; i < query->condition_count; i++) {
		const struct condition *condition = &query->conditions[i];

		assert(condition->field);
		json_put_text(&text, slice_of(condition->field->name));
		json_put_int(&text, condition->op);
		json_put_int(&text, condition->none);
		json_put_int(&text, condition->bound);
		json_put_text(&text, condition->text);
		json_open_array(&text);
		for (size_t j = 0; j < condition->count && j < LIST_VALUES_MAX; j++)
			json_put_int(&text, condition->values[j]);
		json_close_array(&text);
	}
	json_close_array(&text);
	reader_faults(reader)->nomem |= text.failed;
	seal_digest(text.failed ? SLICE("") : buf_slice(&text), reader->list->filters);
	buf_release(&text);
}

/* Completes the query. The conditions of the given filters come first, in the table's order. */
static enum err reader_finish(struct reader *reader)
{
	struct list_request *list = reader->list;
	struct list_query *query = &list->query;
	enum err err = OK;

	for (size_t i = 0; i < reader->type->lists->filter_count; i++) {
		if (!reader->conditions[i].field)
			continue;
		if (reader->conditions[i].values && reader->conditions[i].count <= LIST_VALUES_MAX)
			condition_sort_values(&reader->conditions[i]);
		reader->conditions[query->condition_count++] = reader->conditions[i];
	}
	query->conditions = reader->conditions;
	reader_digest_filters(reader);
	if (reader->after.len && reader->page_given)
		faults_add(reader_faults(reader), "page", FAULT_NOT_ALLOWED,
			   "cannot be combined with after");
	if (reader->after.len && list->count)
		faults_add(reader_faults(reader), "after", FAULT_NOT_ALLOWED,
			   "cannot be combined with mode=count");
	if (reader->after.len)
		err = cursor_read(reader->call, reader->after, reader->cursor_parts);
	query->sort = field_of(reader->type, reader->type->lists->sorts[list->sort_row].field);
	query->offset = list->page - 1 > OFFSET_MAX / query->limit
				? OFFSET_MAX
				: (list->page - 1) * query->limit;
	return err;
}

static enum err reader_read(struct call *call, bool list)
{
	const struct record_type *type = record_types[call->route->kind];
	size_t count = type->lists->filter_count;
	struct arena *arena = &call->http->arena;
	struct reader reader = {.call = call, .type = type, .cursor_parts = CURSOR_FILTERS};
	const char **names = reader_names(&reader, list);

	call->request = reader.list = arena_alloc(arena, sizeof(*reader.list));
	reader.conditions = arena_alloc(arena, count * sizeof(*reader.conditions));
	reader.filters_sent = arena_alloc(arena, count * sizeof(*reader.filters_sent));
	if (!reader.list || !names || !reader.conditions || !reader.filters_sent)
		return ERR_NOMEM;
	*reader.list = (struct list_request){
		.page = 1, .query.limit = (size_t)list_parameters[LIST_PER_PAGE].preset};
	(void)expansions_read(type->lists, call->access.account.expand,
			      &reader.list->query.expansions);
	reader.list->query.expansions = token_scopes_allow(call->access.token.scopes, type->lists,
							   reader.list->query.expansions);
	for (const struct param *param = call->params; param; param = param->next)
		if (!reader_row(&reader, param, list) && !(list && reader_filter(&reader, param)))
			params_unknown(call, param, names);
	call->needs = token_scopes_of(type->lists, reader.list->query.expansions);
	return reader_finish(&reader);
}

enum err list_read_params(struct call *call)
{
	return reader_read(call, true);
}

enum err record_read_params(struct call *call)
{
	return reader_read(call, false);
}
