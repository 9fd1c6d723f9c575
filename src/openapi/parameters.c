/* SPDX-License-Identifier: MIT */
/* The parameters of operations: those of the route, the filters of a list, and request headers. */
#include "api/api.h"
#include "base/array.h"
#include "model/list.h"
#include "openapi_private.h"

/* A header of requests. */
struct header {
	const char *key; /* in the components */
	const char *name;
	const char *schema; /* in JSON */
	const char *help;
};

/* clang-format off */
enum { HEADER_PREFER, HEADER_KEY, HEADER_IF_MATCH, HEADER_IF_NONE_MATCH };
static const struct header headers[] = {
	[HEADER_PREFER] = {"Prefer", "Prefer", "{\"type\":\"string\",\"examples\":[\"handling=lenient\"]}",
		"with `handling=lenient` docket ignores fields and parameters that it does not know, and names them "
		"in the header `Docket-Ignored`"},
	[HEADER_KEY] = {"IdempotencyKey", "Idempotency-Key",
		"{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\",\"examples\":[\"5f0c\"]}",
		"a text of your own. If you send the request again within 24 hours with the same key and body, docket "
		"stores nothing more and repeats the first answer"},
	[HEADER_IF_MATCH] = {"IfMatch", "If-Match", "{\"type\":\"string\",\"examples\":[\"\\\"1-7\\\"\"]}",
		"entity tags, or `*`: the request is carried out only if the record has one of them"},
	[HEADER_IF_NONE_MATCH] = {"IfNoneMatch", "If-None-Match", "{\"type\":\"string\",\"examples\":[\"\\\"1-7\\\"\"]}",
		"entity tags, or `*`. If the answer to a `GET` would have one of them, it is 304 without a body. A change "
		"of a record that has one of them is refused with 412"},
};
/* clang-format on */

static json_t *date_schema(void)
{
	return PACK("{s:s,s:s}", "type", "string", "format", "date");
}

/* One value of a filter. */
static json_t *value_schema(const struct field *field, bool none)
{
	json_t *schema;

	if (field->type == FIELD_BOOL)
		return PACK("{s:s}", "type", "boolean");
	if (field->type == FIELD_CHOICE) {
		schema = PACK("{s:s,s:o}", "type", "string", "enum", texts(field->choices));
		if (none)
			add(json_object_get(schema, "enum"), PACK("s", "none"));
		return schema;
	}
	schema = PACK("{s:s,s:s,s:i}", "type", "integer", "format", "int64", "minimum", 1);
	return none ? PACK("{s:[o,{s:s,s:s}]}", "anyOf", schema, "type", "string", "const", "none")
		    : schema;
}

static json_t *filter_schema(const struct record_type *type, const struct filter *filter)
{
	const struct field *field = field_of(type, filter->field);

	if (filter->op == FILTER_ANY)
		return PACK("{s:s,s:o,s:i,s:i}", "type", "array", "items",
			    value_schema(field, filter->none), "minItems", 1, "maxItems",
			    LIST_VALUES_MAX);
	if (filter->op == FILTER_CONTAINS || filter->op == FILTER_IS)
		return PACK("{s:s,s:i}", "type", "string", "minLength", 1);
	if (field->type == FIELD_DATE)
		return date_schema();
	return PACK("{s:[{s:s,s:s},o]}", "anyOf", "type", "string", "format", "date-time",
		    date_schema());
}

static void add_filter(json_t *list, const struct record_type *type, const struct filter *filter,
		       const char *name)
{
	json_t *parameter = PACK("{s:s,s:s}", "name", name, "in", "query");
	json_t *head = worded("Lists {records}", type);

	if (name == filter->name)
		put(parameter, "description",
		    TEXT("%s %s.%s", json_string_value(head), filter->help,
			 filter->none ? " `none` means those without one." : ""));
	else
		put(parameter, "description", TEXT("The same as `%s`.", filter->name));
	json_decref(head);
	put(parameter, "schema", filter_schema(type, filter));
	if (filter->op == FILTER_ANY) {
		put(parameter, "style", PACK("s", "form"));
		put(parameter, "explode", json_false());
	}
	add(list, parameter);
}

static void add_filters(json_t *list, const struct record_type *type)
{
	for (size_t i = 0; i < type->lists->filter_count; i++) {
		const struct filter *filter = &type->lists->filters[i];

		add_filter(list, type, filter, filter->name);
		for (size_t j = 0; j < COUNT_OF(filter->also) && filter->also[j]; j++)
			add_filter(list, type, filter, filter->also[j]);
	}
}

static json_t *sorts_schema(const struct record_lists *lists)
{
	json_t *names = PACK("[]");

	for (size_t i = 0; i < lists->sort_count; i++)
		add(names, PACK("s", lists->sorts[i].name));
	return PACK("{s:s,s:o,s:s}", "type", "string", "enum", names, "default",
		    lists->sorts[0].name);
}

static json_t *expansions_schema(const struct record_lists *lists)
{
	json_t *names = PACK("[]");

	for (size_t i = 0; i < lists->expansion_count; i++)
		add(names, PACK("s", lists->expansions[i].name));
	add(names, PACK("s", "none"));
	return PACK("{s:s,s:{s:s,s:o},s:i}", "type", "array", "items", "type", "string", "enum",
		    names, "minItems", 1);
}

static json_t *integer_schema(const struct parameter *parameter)
{
	json_t *schema =
		PACK("{s:s,s:s,s:I,s:I}", "type", "integer", "format", "int64", "minimum",
		     (json_int_t)parameter->least, "default", (json_int_t)parameter->preset);

	/* INT64_MAX is no limit that means anything to a client. */
	if (parameter->most != INT64_MAX)
		put(schema, "maximum", PACK("I", (json_int_t)parameter->most));
	return schema;
}

static json_t *choice_schema(const struct parameter *parameter)
{
	json_t *schema = PACK("{s:s,s:o}", "type", "string", "enum", texts(parameter->choices));

	if (parameter->preset >= 0)
		put(schema, "default", PACK("s", parameter->choices[parameter->preset]));
	return schema;
}

static json_t *parameter_schema(const struct record_type *type, const struct parameter *parameter)
{
	switch (parameter->type) {
	case PARAMETER_INTEGER:
		return integer_schema(parameter);
	case PARAMETER_CHOICE:
		return choice_schema(parameter);
	case PARAMETER_SORT:
		return sorts_schema(type->lists);
	case PARAMETER_EXPAND:
		return expansions_schema(type->lists);
	default:
		return PACK("{s:s,s:i}", "type", "string", "minLength", 1);
	}
}

static void add_parameter(json_t *list, const struct record_type *type, const struct parameter *row)
{
	json_t *parameter;

	if (row->type == PARAMETER_EXPAND && !type->lists->expansion_count)
		return;
	parameter = PACK("{s:s,s:s,s:o,s:o}", "name", row->name, "in", "query", "description",
			 sentence(row->help), "schema", parameter_schema(type, row));
	if (row->type == PARAMETER_EXPAND) {
		put(parameter, "style", PACK("s", "form"));
		put(parameter, "explode", json_false());
	}
	add(list, parameter);
}

static void add_header(json_t *list, size_t header)
{
	add(list, reference("parameters", headers[header].key));
}

/* The headers that docket reads in a request of this route. */
static void add_headers(json_t *list, const struct route *route)
{
	bool changes = strcmp(route->method, "PATCH") == 0 || strcmp(route->method, "DELETE") == 0;
	bool tagged = route->answer == ANSWER_RECORD || route->answer == ANSWER_OPENAPI ||
		      route->answer == ANSWER_REFERENCE;

	if (!route->open)
		add_header(list, HEADER_PREFER);
	if (strcmp(route->method, "POST") == 0)
		add_header(list, HEADER_KEY);
	if (changes)
		add_header(list, HEADER_IF_MATCH);
	if (changes || tagged)
		add_header(list, HEADER_IF_NONE_MATCH);
}

json_t *operation_parameters(const struct route *route)
{
	const struct record_type *type = record_types[route->kind];
	json_t *list = PACK("[]");

	if (route->answer == ANSWER_LIST)
		add_filters(list, type);
	for (const struct parameter *row = route->parameters; row && row->name; row++)
		add_parameter(list, type, row);
	add_headers(list, route);
	return list;
}

json_t *header_parameters(void)
{
	json_t *all = PACK("{}");

	for (size_t i = 0; i < COUNT_OF(headers); i++)
		put(all, headers[i].key,
		    PACK("{s:s,s:s,s:o,s:o}", "name", headers[i].name, "in", "header",
			 "description", sentence(headers[i].help), "schema",
			 parsed(headers[i].schema)));
	return all;
}

json_t *path_parameter(const char *path)
{
	json_t *codes;

	if (strstr(path, "{code}")) {
		codes = PACK("[]");
		for (size_t i = 0; i < PROBLEM_CODES; i++)
			add(codes, PACK("s", problem_rows[i].code));
		return PACK("{s:s,s:s,s:b,s:s,s:{s:s,s:o}}", "name", "code", "in", "path",
			    "required", 1, "description", "The code of a problem.", "schema",
			    "type", "string", "enum", codes);
	}
	return PACK("{s:s,s:s,s:b,s:s,s:{s:s,s:s,s:i}}", "name", "id", "in", "path", "required", 1,
		    "description", "The number of the record.", "schema", "type", "integer",
		    "format", "int64", "minimum", 1);
}
