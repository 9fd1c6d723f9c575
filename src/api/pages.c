/* SPDX-License-Identifier: MIT */
/* Pages for people: one about each problem. The `type` of a problem links to its page. */
#include "api_private.h"
#include "base/html.h"

static const char style[] =
	":root { color-scheme: light dark; --line: #d5dbe1; --soft: #f1f3f5; --link: #1d5fbf; }\n"
	"* { box-sizing: border-box; }\n"
	"body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: #fff; color: #1d2329; }\n"
	"main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }\n"
	"h1 { font-size: 1.7rem; margin: 0; }\n"
	"h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }\n"
	"h3 { font-size: 1.05rem; margin: 1.8rem 0 .3rem; }\n"
	"h4 { font-size: .95rem; margin: 1rem 0 .2rem; }\n"
	"p, dd, li { margin: .25rem 0; max-width: 44rem; }\n"
	"ul { padding-left: 1.2rem; }\n"
	"nav > ul { columns: 18rem; list-style: none; padding: 0; }\n"
	"nav > ul > li { break-inside: avoid; margin-bottom: .8rem; }\n"
	"dt { margin-top: .6rem; }\n"
	"dd { margin-left: 1.5rem; }\n"
	"a { color: var(--link); }\n"
	"code, pre { font: .9rem/1.5 ui-monospace, monospace; }\n"
	"pre { margin: .5rem 0; padding: .7rem; white-space: pre-wrap; background: var(--soft); "
	"border-radius: .3rem; }\n"
	"table { border-collapse: collapse; width: 100%; font-size: .95rem; }\n"
	"th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; "
	"border-top: 1px solid var(--line); }\n"
	"td:first-child { width: 22%; }\n"
	"td:nth-child(2) { width: 28%; }\n"
	"@media (max-width: 40rem) {\n"
	"  thead { position: absolute; left: -100vw; }\n"
	"  tr { display: block; border-top: 1px solid var(--line); padding: .3rem 0; }\n"
	"  td, td:first-child, td:nth-child(2) { display: block; width: auto; border: 0; padding: 0; }\n"
	"}\n"
	"@media (prefers-color-scheme: dark) {\n"
	"  :root { --line: #343d47; --soft: #20262d; --link: #8ab8ff; }\n"
	"  body { background: #14181d; color: #e4e9ee; }\n"
	"}\n";

void page_add_head(struct buf *out, const char *title, const char *up)
{
	buf_printf(out,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<title>%s</title>\n<link rel=\"stylesheet\" href=\"%sstyle.css\">\n</head>\n"
		   "<body>\n<main>\n",
		   title, up);
}

void page_add_headers(struct call *call)
{
	http_add_header(call->http, "Content-Type", "text/html; charset=utf-8");
	http_add_header(
		call->http, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'");
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
	buf_add_text(&call->http->response.body, style);
	http_add_header(call->http, "Content-Type", "text/css; charset=utf-8");
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
		page_add_headers(call);
		return page_answer(call);
	}
	problem(call, PROBLEM_NO_PATH, "no problem has this code");
	return FLOW_ANSWERED;
}
