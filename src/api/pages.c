/* SPDX-License-Identifier: MIT */
/* Pages for people: one about each problem. The `type` of a problem links to its page. */
#include "api_private.h"
#include "base/html.h"
#include "web.h"

void page_add_head(struct buf *out, const char *title, const char *up)
{
	buf_printf(out,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<title>%s</title>\n<link rel=\"stylesheet\" href=\"%sstyle.css\">\n</head>\n"
		   "<body>\n<main>\n",
		   title, up);
}

#define POLICY(more)                                  \
	"default-src 'none'; style-src 'self'; " more \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void page_add_headers(struct call *call, bool has_script)
{
	http_add_header(call->http, "Content-Type", "text/html; charset=utf-8");
	http_add_header(call->http, "Content-Security-Policy",
			has_script ? POLICY("script-src 'self'; connect-src 'self'; ")
				   : POLICY(""));
	http_add_header(call->http, "X-Content-Type-Options", "nosniff");
}

static enum flow page_answer(struct call *call)
{
	struct http_response *response = &call->http->response;

	if (response->body.failed) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	http_add_header(call->http, "Cache-Control", "no-cache");
	response->status = 200;
	return FLOW_ANSWERED;
}

enum flow style_get(struct call *call)
{
	buf_add_text(&call->http->response.body, style_css);
	http_add_header(call->http, "Content-Type", "text/css; charset=utf-8");
	http_add_header(call->http, "X-Content-Type-Options", "nosniff");
	return page_answer(call);
}

enum flow script_get(struct call *call)
{
	buf_add_text(&call->http->response.body, try_js);
	http_add_header(call->http, "Content-Type", "text/javascript; charset=utf-8");
	http_add_header(call->http, "X-Content-Type-Options", "nosniff");
	return page_answer(call);
}

/* The codes that `errors` may have. */
static void page_add_faults(struct buf *out)
{
	buf_add_text(out, "<h2>Codes in errors</h2>\n<dl>\n");
	for (enum fault_code code = 0; code < FAULT_CODES; code++) {
		buf_printf(out, "<dt><code>%s</code></dt>\n<dd>", fault_code_name(code));
		html_add(out, slice_of(fault_code_help(code)));
		buf_add_text(out, "</dd>\n");
	}
	buf_add_text(out, "</dl>\n");
}

static void page_add_problem(struct buf *out, enum problem_code code, const char *up,
			     struct arena *arena)
{
	const struct problem_row *row = &problem_rows[code];
	struct buf example = {0};

	page_add_head(out, row->code, up);
	buf_printf(out, "<h1>%s</h1>\n<p>%u %s</p>\n<h2>Cause</h2>\n<p>", row->code, row->status,
		   http_reason(row->status));
	html_add_marked(out, row->cause);
	buf_add_text(out, "</p>\n<h2>What to do</h2>\n<p>");
	html_add_marked(out, row->cure);
	buf_add_text(out, "</p>\n<h2>Example</h2>\n<pre>");
	problem_example(code, arena, &example);
	buf_add_char(&example, '\0');
	html_add(out, slice_of(example.failed ? "" : example.ptr));
	out->failed |= example.failed;
	buf_release(&example);
	buf_add_text(out, "</pre>\n");
	if (row->has_faults)
		page_add_faults(out);
	buf_add_text(out, "</main>\n</body>\n</html>\n");
}

enum flow problem_page_get(struct call *call)
{
	struct slice path = call->http->path;
	bool slash = path.ptr[path.len - 1] == '/';

	for (enum problem_code code = 0; code < PROBLEM_CODES; code++) {
		if (!slice_is(call->id_text, problem_rows[code].code))
			continue;
		page_add_problem(&call->http->response.body, code, slash ? "../../" : "../",
				 &call->http->arena);
		page_add_headers(call, false);
		return page_answer(call);
	}
	problem(call, PROBLEM_NO_PATH, "no problem has this code");
	return FLOW_ANSWERED;
}
