/* SPDX-License-Identifier: MIT */
/* The lines that send a request, in the languages that people call docket from. */
#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/html.h"
#include "openapi_private.h"

/* How a language writes values. A list is as in JSON. */
struct syntax {
	char quote;
	const char *open_object, *between_pair, *close_object;
	const char *true_word, *false_word, *null_word;
};

/* A line is: before METHOD between PATH after end. With a body it is: before METHOD between PATH
 * after body VALUE end. */
static const struct language {
	const char *name;
	const char *setup; /* what the lines need before them */
	const char *before, *between, *after, *body, *end;
	struct syntax syntax;
} languages[] = {
	{"Python",
	 "import requests\n\n"
	 "docket = \"https://HOST\"\n"
	 "session = requests.Session()\n"
	 "session.auth = (\"USERNAME/token\", \"TOKEN\")",
	 "answer = session.request(\"",
	 "\", docket + \"",
	 "\"",
	 ", json=",
	 ")",
	 {'"', "{", ": ", "}", "True", "False", "None"}},
	{"Node",
	 "const access = Buffer.from(\"USERNAME/token:TOKEN\").toString(\"base64\");\n"
	 "const headers = { Authorization: `Basic ${access}`, \"Content-Type\": \"application/json\" };\n"
	 "const send = (method, path, value) =>\n"
	 "  fetch(\"https://HOST\" + path, { method, headers, body: JSON.stringify(value) });\n"
	 "let answer;",
	 "answer = await send(\"",
	 "\", \"",
	 "\"",
	 ", ",
	 ");",
	 {'"', "{", ": ", "}", "true", "false", "null"}},
	{"PHP",
	 "function send(string $method, string $path, ?array $value = null): string\n"
	 "{\n"
	 "    return file_get_contents('https://HOST' . $path, false, stream_context_create(['http' => [\n"
	 "        'method' => $method,\n"
	 "        'header' => ['Authorization: Basic ' . base64_encode('USERNAME/token:TOKEN'),\n"
	 "                     'Content-Type: application/json'],\n"
	 "        'content' => $value === null ? '' : json_encode($value),\n"
	 "        'ignore_errors' => true, // read the body of an error as well\n"
	 "    ]]));\n"
	 "}",
	 "$answer = send('",
	 "', '",
	 "'",
	 ", ",
	 ");",
	 {'\'', "[", " => ", "]", "true", "false", "null"}},
};

/* A link of an answer has no host. It has all parameters. */
static const char walk[] =
	"from urllib.parse import urljoin\n\n"
	"url = docket + \"/api/v1/tasks?complete_from=2026-10-01&complete_to=2026-10-31&expand=case,users\"\n"
	"while url:\n"
	"    answer = session.get(url)\n"
	"    answer.raise_for_status()\n"
	"    for task in answer.json():\n"
	"        case, users = task[\"Casefile\"], task[\"Users\"]\n"
	"        print(task[\"id\"], task[\"complete_at\"], case and case[\"case_number\"],\n"
	"              [user[\"name\"] for user in users], task[\"title\"])\n"
	"    following = answer.links.get(\"next\")\n"
	"    url = following and urljoin(answer.url, following[\"url\"])";

/* The three languages put a backslash before the quote and before a backslash. The examples have no
 * control characters. */
static void line_add_text(struct buf *out, const char *text, char quote)
{
	buf_add_char(out, quote);
	for (; *text; text++) {
		if (*text == quote || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, quote);
}

static void line_add_value(struct buf *out, const json_t *value, const struct syntax *syntax)
{
	const json_t *one;
	const char *key, *between = "";
	size_t i;

	if (json_is_object(value)) {
		buf_add_text(out, syntax->open_object);
		json_object_foreach ((json_t *)value, key, one) {
			buf_add_text(out, between);
			line_add_text(out, key, syntax->quote);
			buf_add_text(out, syntax->between_pair);
			line_add_value(out, one, syntax);
			between = ", ";
		}
		buf_add_text(out, syntax->close_object);
	} else if (json_is_array(value)) {
		buf_add_char(out, '[');
		json_array_foreach (value, i, one) {
			buf_add_text(out, i ? ", " : "");
			line_add_value(out, one, syntax);
		}
		buf_add_char(out, ']');
	} else if (json_is_string(value)) {
		line_add_text(out, json_string_value(value), syntax->quote);
	} else if (json_is_integer(value)) {
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	} else {
		assert(!json_is_real(value));
		buf_add_text(out, json_is_true(value)    ? syntax->true_word
				  : json_is_false(value) ? syntax->false_word
							 : syntax->null_word);
	}
}

/* Adds the text as HTML, and releases it. */
static void line_end(struct buf *out, struct buf *line)
{
	html_add(out, buf_slice(line));
	out->failed |= line->failed;
	buf_release(line);
	buf_add_text(out, "</pre>\n");
}

static void lines_add_curl(struct buf *out, const char *method, const char *path,
			   const json_t *operation, const json_t *value)
{
	char *body = value ? json_dumps(value, 0) : NULL;
	struct buf line = {0};

	buf_add_text(out, "<pre>");
	buf_add_text(&line, "curl");
	if (!json_object_get(operation, "security"))
		buf_add_text(&line, " -u \"$access\"");
	if (strcmp(method, "PATCH") == 0 || strcmp(method, "DELETE") == 0)
		buf_printf(&line, " -X %s", method);
	if (body)
		buf_printf(&line, " --json '%s'", body);
	buf_printf(&line, " \"$docket%s\"", path);
	line_end(out, &line);
	free(body);
}

void lines_add(struct buf *out, const char *method, const char *path, const json_t *operation)
{
	const json_t *value = body_example(operation);

	lines_add_curl(out, method, path, operation, value);
	buf_add_text(out, "<details><summary>Python, Node, PHP</summary>\n");
	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		const struct language *language = &languages[i];
		struct buf line = {0};

		buf_printf(out, "<p>%s:</p>\n<pre class=\"%s\">", language->name, language->name);
		buf_add_text(&line, language->before);
		buf_add_text(&line, method);
		buf_add_text(&line, language->between);
		buf_add_text(&line, path);
		buf_add_text(&line, language->after);
		if (value) {
			buf_add_text(&line, language->body);
			line_add_value(&line, value, &language->syntax);
		}
		buf_add_text(&line, language->end);
		line_end(out, &line);
	}
	buf_add_text(out, "</details>\n");
}

void lines_add_setup(struct buf *out)
{
	buf_add_text(
		out,
		"<p>The lines that change something have <code>dry_run=1</code>: docket answers as if "
		"it had stored the change, and stores nothing. Leave that out to store it.</p>\n"
		"<p>The commands for curl use two variables. A user name is such as "
		"<code>jane/token</code>, so the second is such as <code>jane/token:docket_3f9c…</code>:"
		"</p>\n<pre>docket=https://HOST\naccess=USERNAME/token:TOKEN</pre>\n"
		"<details><summary>What the lines in Python, Node and PHP use</summary>\n");
	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		buf_printf(out, "<p>%s:</p>\n<pre class=\"%s\">", languages[i].name,
			   languages[i].name);
		html_add(out, slice_of(languages[i].setup));
		buf_add_text(out, "</pre>\n");
	}
	buf_add_text(
		out,
		"</details>\n<p>This reads all pages of a list, in Python: the tasks that were completed "
		"in a month, with their cases and staff.</p>\n<pre class=\"walk\">");
	html_add(out, slice_of(walk));
	buf_add_text(out, "</pre>\n");
}
