/* SPDX-License-Identifier: MIT */
/* The OpenAPI document as a page for people: every request with its parameters, the lines that send
 * it and its answers; then every kind of object; then the codes. */
#include <ctype.h>
#include <stdlib.h>

#include "base/html.h"
#include "openapi_private.h"

struct page {
	const json_t *document;
	struct buf *out;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static const json_t *part_of(const struct page *page, const char *section)
{
	return json_object_get(json_object_get(page->document, "components"), section);
}

/* The name that a reference ends with; NULL: it is none. */
static const char *referred(const json_t *value)
{
	const char *ref = json_string_value(json_object_get(value, "$ref"));

	return ref ? strrchr(ref, '/') + 1 : NULL;
}

/* The schemas that the page shows: those with descriptions. */
static bool schema_is_shown(const char *name)
{
	const char *end = strstr(name, "DryRun");

	return strncmp(name, "Related", strlen("Related")) != 0 &&
	       !(end && strcmp(end, "DryRun") == 0);
}

static void page_add_type(const struct page *page, const json_t *schema);

static void page_add_list(const struct page *page, const json_t *schema)
{
	const json_t *limit = json_object_get(schema, "maxItems");

	buf_add_text(page->out, "list of ");
	page_add_type(page, json_object_get(schema, "items"));
	if (limit)
		buf_printf(page->out, ", at most %lld", (long long)json_integer_value(limit));
}

/* Adds the alternatives of a schema. */
static void page_add_types(const struct page *page, const json_t *schema, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		buf_add_text(page->out, i ? " or " : "");
		if (json_is_string(one) && strcmp(json_string_value(one), "array") == 0)
			page_add_list(page, schema);
		else if (json_is_string(one))
			html_add(page->out, slice_of(json_string_value(one)));
		else
			page_add_type(page, one);
	}
}

static void page_add_choices(const struct page *page, const json_t *choices)
{
	const json_t *one;
	size_t i;

	json_array_foreach (choices, i, one) {
		const char *text = json_is_null(one) ? "null" : json_string_value(one);

		buf_add_text(page->out, i ? ", <code>" : "<code>");
		html_add(page->out, slice_of(text ? text : ""));
		buf_add_text(page->out, "</code>");
	}
}

/* Adds a schema that is not a list of alternatives. */
static void page_add_simple_type(const struct page *page, const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type"), *limit;

	if (json_is_array(type))
		page_add_types(page, schema, type);
	else
		html_add(page->out,
			 slice_of(json_is_string(type) ? json_string_value(type) : "any value"));
	if (*text_of(schema, "format") && strcmp(text_of(schema, "format"), "int64") != 0)
		buf_printf(page->out, ", %s", text_of(schema, "format"));
	limit = json_object_get(schema, "maximum");
	if (limit)
		buf_printf(page->out, " from %lld to %lld",
			   (long long)json_integer_value(json_object_get(schema, "minimum")),
			   (long long)json_integer_value(limit));
	limit = json_object_get(schema, "maxLength");
	if (limit)
		buf_printf(page->out, ", at most %lld characters",
			   (long long)json_integer_value(limit));
}

/* Adds a schema that the page does not show: a shown one, and what is different. */
static void page_add_variant(const struct page *page, const char *name)
{
	const size_t related = strlen("Related");
	const char *start = strncmp(name, "Related", related) == 0 ? name + related : name;
	const char *end = strstr(start, "DryRun");
	const json_t *schema = json_object_get(part_of(page, "schemas"), name);
	int len = (int)(end ? (size_t)(end - start) : strlen(start));

	buf_printf(page->out, "<a href=\"#%.*s\">%.*s</a>", len, start, len, start);
	if (end)
		buf_add_text(page->out, " whose <code>id</code> is null");
	else if (json_object_get(json_object_get(schema, "properties"), "name"))
		buf_add_text(page->out, " with a <code>name</code> for people");
}

static void page_add_type(const struct page *page, const json_t *schema)
{
	const json_t *any = json_object_get(schema, "anyOf");
	const char *name = referred(schema);

	if (!any)
		any = json_object_get(schema, "oneOf");
	if (name && schema_is_shown(name)) {
		buf_printf(page->out, "<a href=\"#%s\">%s</a>", name, name);
	} else if (name) {
		page_add_variant(page, name);
	} else if (any) {
		page_add_types(page, schema, any);
	} else if (json_object_get(schema, "enum")) {
		page_add_choices(page, json_object_get(schema, "enum"));
	} else if (json_object_get(schema, "const")) {
		buf_printf(page->out, "<code>%s</code>", text_of(schema, "const"));
	} else if (strcmp(text_of(schema, "type"), "array") == 0) {
		page_add_list(page, schema);
	} else {
		page_add_simple_type(page, schema);
	}
}

/* `mark` follows the name, such as ", required". */
static void page_add_row(const struct page *page, const char *name, const json_t *schema,
			 const char *description, const char *mark)
{
	const json_t *preset = json_object_get(schema, "default");
	char *text = json_is_string(preset) ? strdup(json_string_value(preset))
		     : preset               ? json_dumps(preset, JSON_ENCODE_ANY)
					    : NULL;

	buf_add_text(page->out, "<tr><td><code>");
	html_add(page->out, slice_of(name));
	buf_printf(page->out, "</code>%s</td><td>", mark);
	page_add_type(page, schema);
	if (text) {
		buf_add_text(page->out, "; by default <code>");
		html_add(page->out, slice_of(text));
		buf_add_text(page->out, "</code>");
	}
	buf_add_text(page->out, "</td><td>");
	html_add_marked(page->out, description);
	buf_add_text(page->out, "</td></tr>\n");
	free(text);
}

static void page_begin_table(const struct page *page, const char *a, const char *b, const char *c)
{
	buf_printf(page->out,
		   "<table>\n<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead>\n<tbody>\n",
		   a, b, c);
}

static void page_end_table(const struct page *page)
{
	buf_add_text(page->out, "</tbody>\n</table>\n");
}

static void page_add_parameters(const struct page *page, const json_t *parameters)
{
	const json_t *one;
	size_t i;

	if (!json_array_size(parameters))
		return;
	buf_add_text(page->out, "<h4>Parameters and headers</h4>\n");
	page_begin_table(page, "name", "type", "what it is");
	json_array_foreach (parameters, i, one) {
		const char *name = referred(one);

		if (name)
			one = json_object_get(part_of(page, "parameters"), name);
		page_add_row(page, text_of(one, "name"), json_object_get(one, "schema"),
			     text_of(one, "description"),
			     strcmp(text_of(one, "in"), "header") == 0        ? ", header"
			     : json_is_true(json_object_get(one, "required")) ? ", required"
									      : "");
	}
	page_end_table(page);
}

/* The path with a value in place of its parameter: the number 1, or the code of a problem. A reader
 * who only tries a request changes nothing. The caller frees the result. */
static char *page_example_path(const char *method, const char *path)
{
	const char *query = strcmp(method, "GET") == 0 ? "" : "?dry_run=1";
	const char *brace = strchr(path, '{');
	char *text = NULL;

	if (asprintf(&text, "%.*s%s%s%s", (int)(brace ? brace - path : (long)strlen(path)), path,
		     !brace                   ? ""
		     : strstr(path, "{code}") ? problem_rows[0].code
					      : "1",
		     brace ? strchr(brace, '}') + 1 : "", query) < 0)
		made(NULL);
	return text;
}

/* Adds the method and the path, with what the page's script sends at first. */
static void page_add_request(const struct page *page, const char *method, const char *path,
			     const char *example, const json_t *operation)
{
	const json_t *value = body_example(operation);
	char *body = value ? json_dumps(value, JSON_INDENT(2)) : NULL;

	buf_printf(page->out, "<p class=\"request\" data-target=\"%s\"", example);
	if (body) {
		buf_add_text(page->out, " data-body=\"");
		html_add(page->out, slice_of(body));
		buf_add_char(page->out, '"');
	}
	buf_printf(page->out, "><code>%s %s</code></p>\n", method, path);
	free(body);
}

/* Adds what the body has: an object, or a record under its key. */
static void page_add_body(const struct page *page, const json_t *body)
{
	const json_t *schema = json_object_get(
		json_object_get(json_object_get(body, "content"), "application/json"), "schema");
	const json_t *member;
	const char *key;

	if (!schema)
		return;
	buf_add_text(page->out, "<h4>Body</h4>\n<p>");
	if (referred(schema))
		page_add_type(page, schema);
	json_object_foreach (json_object_get(schema, "properties"), key, member) {
		buf_printf(page->out, "An object with the key <code>%s</code>: a ", key);
		page_add_type(page, member);
	}
	buf_add_text(page->out, ".</p>\n");
}

static void page_add_answers(const struct page *page, const json_t *responses)
{
	const json_t *answer, *content;
	const char *status, *type;
	const char *between = "";

	buf_add_text(page->out, "<h4>Answers</h4>\n<ul>\n");
	json_object_foreach ((json_t *)responses, status, answer) {
		if (referred(answer))
			continue;
		buf_printf(page->out, "<li>%s: ", status);
		html_add_marked(page->out, text_of(answer, "description"));
		json_object_foreach (json_object_get(answer, "content"), type, content) {
			buf_add_char(page->out, ' ');
			page_add_type(page, json_object_get(content, "schema"));
		}
		buf_add_text(page->out, "</li>\n");
	}
	buf_add_text(page->out, "<li>Or a <a href=\"#problems\">problem</a>: ");
	json_object_foreach ((json_t *)responses, status, answer) {
		if (!referred(answer))
			continue;
		buf_printf(page->out, "%s%s", between, status);
		between = ", ";
	}
	buf_add_text(page->out, "</li>\n</ul>\n");
}

static void page_add_operation(const struct page *page, const char *method, const char *path,
			       const json_t *operation)
{
	char *example = page_example_path(method, path);

	buf_printf(page->out, "<h3 id=\"%s\">", text_of(operation, "operationId"));
	html_add(page->out, slice_of(text_of(operation, "summary")));
	buf_add_text(page->out, "</h3>\n");
	page_add_request(page, method, path, example, operation);
	buf_add_text(page->out, "<p>");
	html_add_marked(page->out, text_of(operation, "description"));
	buf_add_text(page->out, "</p>\n");
	lines_add(page->out, method, example, operation);
	free(example);
	page_add_parameters(page, json_object_get(operation, "parameters"));
	page_add_body(page, json_object_get(operation, "requestBody"));
	page_add_answers(page, json_object_get(operation, "responses"));
}

typedef void operation_fn(const struct page *page, const char *method, const char *path,
			  const json_t *operation);

/* Calls `one` for each operation of the tag. */
static void page_each(const struct page *page, const char *tag, operation_fn *one)
{
	const json_t *methods, *operation;
	const char *path, *method;

	json_object_foreach (json_object_get(page->document, "paths"), path, methods)
		json_object_foreach ((json_t *)methods, method, operation) {
			const json_t *own = json_object_get(operation, "tags");
			char name[16] = {0};

			if (!own || strcmp(json_string_value(json_array_get(own, 0)), tag) != 0)
				continue;
			for (size_t i = 0; method[i] && i + 1 < sizeof(name); i++)
				name[i] = (char)toupper((unsigned char)method[i]);
			one(page, name, path, operation);
		}
}

static void page_add_link(const struct page *page, const char *method, const char *path,
			  const json_t *operation)
{
	(void)method;
	(void)path;
	buf_printf(page->out, "<li><a href=\"#%s\">", text_of(operation, "operationId"));
	html_add(page->out, slice_of(text_of(operation, "summary")));
	buf_add_text(page->out, "</a></li>\n");
}

static void page_add_tags(const struct page *page, bool links)
{
	const json_t *tag;
	size_t i;

	json_array_foreach (json_object_get(page->document, "tags"), i, tag) {
		const char *text = text_of(tag, "description");

		/* A heading has no full stop. */
		buf_printf(page->out, links ? "<li>%.*s<ul>\n" : "<h2>%.*s</h2>\n",
			   (int)strlen(text) - 1, text);
		page_each(page, text_of(tag, "name"), links ? page_add_link : page_add_operation);
		buf_add_text(page->out, links ? "</ul></li>\n" : "");
	}
}

static bool is_required(const json_t *schema, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(schema, "required"), i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

static void page_add_schemas(const struct page *page)
{
	const json_t *schema, *member;
	const char *name, *key;

	buf_add_text(page->out, "<h2 id=\"objects\">Objects</h2>\n");
	json_object_foreach ((json_t *)part_of(page, "schemas"), name, schema) {
		bool sent = json_object_get(schema, "additionalProperties");

		if (!schema_is_shown(name))
			continue;
		buf_printf(page->out, "<h3 id=\"%s\">%s</h3>\n", name, name);
		if (!json_object_get(schema, "properties")) {
			page_add_type(page, schema);
			continue;
		}
		page_begin_table(page, "field", "type", "what it is");
		json_object_foreach (json_object_get(schema, "properties"), key, member)
			page_add_row(page, key, member, text_of(member, "description"),
				     sent && is_required(schema, key) ? ", required" : "");
		page_end_table(page);
	}
}

static void page_add_problems(const struct page *page)
{
	buf_add_text(page->out, "<h2 id=\"problems\">Problems</h2>\n<p>An answer that is a <a "
				"href=\"#Problem\">Problem</a> has one of these codes.</p>\n");
	page_begin_table(page, "code", "what is wrong", "what to do");
	for (size_t i = 0; i < PROBLEM_CODES; i++) {
		const struct problem_row *row = &problem_rows[i];

		buf_printf(page->out, "<tr><td><code>%s</code> (%u)</td><td>", row->code,
			   row->status);
		html_add_marked(page->out, row->cause);
		buf_add_text(page->out, "</td><td>");
		html_add_marked(page->out, row->cure);
		buf_add_text(page->out, "</td></tr>\n");
	}
	page_end_table(page);
	buf_add_text(page->out, "<h3 id=\"faults\">Codes in errors</h3>\n<dl>\n");
	for (enum fault_code code = 0; code < FAULT_CODES; code++) {
		buf_printf(page->out, "<dt><code>%s</code></dt><dd>", fault_code_name(code));
		html_add_marked(page->out, fault_code_help(code));
		buf_add_text(page->out, "</dd>\n");
	}
	buf_add_text(page->out, "</dl>\n");
}

/* The paragraphs of the description. */
static void page_add_about(const struct page *page)
{
	const char *text = text_of(json_object_get(page->document, "info"), "description");

	while (*text) {
		const char *end = strstr(text, "\n\n");
		char *part = strndup(text, end ? (size_t)(end - text) : strlen(text));

		buf_add_text(page->out, "<p>");
		html_add_marked(page->out, part ? part : "");
		buf_add_text(page->out, "</p>\n");
		page->out->failed |= !part;
		free(part);
		text = end ? end + 2 : "";
	}
	lines_add_setup(page->out);
}

void reference_add(const json_t *document, struct buf *out)
{
	const struct page page = {document, out};

	page_add_about(&page);
	buf_add_text(out, "<nav>\n<ul>\n");
	page_add_tags(&page, true);
	buf_add_text(
		out,
		"<li><a href=\"#problems\">Problems</a></li>\n<li><a href=\"#faults\">Codes in errors</a>"
		"</li>\n<li><a href=\"#objects\">Objects</a></li>\n</ul>\n</nav>\n");
	page_add_tags(&page, false);
	page_add_problems(&page);
	page_add_schemas(&page);
	buf_add_text(out, "</main>\n</body>\n</html>\n");
}
