/* SPDX-License-Identifier: MIT */
/* Answers with what docket made at its start: the OpenAPI document, and the reference for people.
 * They need no access. An answer is sent in pieces, so that a slow client holds only one of them.
 */
#include "api_private.h"

/* Puts the next piece into the body. */
static enum flow document_more(struct call *call)
{
	struct http_response *response = &call->http->response;
	const struct document *document = call->request;
	struct slice rest = document->text;

	rest.ptr += rest.len - response->more;
	rest.len = response->more < HTTP_BLOCK ? (size_t)response->more : HTTP_BLOCK;
	buf_add_slice(&response->body, rest);
	return FLOW_RETURNS;
}

/* Adds the entity tag, and reads those that the client has. False: the request is answered. */
static bool document_begin(struct call *call, const struct document *document)
{
	const char *tag = version_tag(call, document->version);

	if (!tag)
		problem_err(call, ERR_NOMEM);
	if (!tag || !versions_read(call, "If-None-Match", &call->versions))
		return false;
	http_add_header(call->http, "ETag", tag);
	return true;
}

/* Answers with the document, after what is in the body already. */
static enum flow document_answer(struct call *call, struct document *document)
{
	struct http_response *response = &call->http->response;
	size_t head = response->body.len;
	bool known = versions_name(&call->versions, document->version);

	/* A cache asks each time, so nobody gets the document of an earlier version. */
	http_add_header(call->http, "Cache-Control", "no-cache");
	response->status = known ? 304 : 200;
	if (known) {
		buf_clear(&response->body);
		return FLOW_ANSWERED;
	}
	call->request = document;
	response->more = document->text.len;
	document_more(call);
	response->more -= response->body.len - head;
	call->more = document_more;
	return FLOW_ANSWERED;
}

enum flow openapi_get(struct call *call)
{
	if (!document_begin(call, &call->app->openapi))
		return FLOW_ANSWERED;
	http_add_header(call->http, "Content-Type", "application/json");
	return document_answer(call, &call->app->openapi);
}

enum flow reference_get(struct call *call)
{
	struct slice path = call->http->path;
	/* Links are relative, so that they are right behind a proxy too. */
	bool slash = path.ptr[path.len - 1] == '/';

	if (!document_begin(call, &call->app->reference))
		return FLOW_ANSWERED;
	page_add_head(&call->http->response.body, "Reference of docket", slash ? "" : "docs/");
	page_add_headers(call, true);
	buf_printf(&call->http->response.body,
		   "<script src=\"%stry.js\" defer></script>\n<h1>Reference of docket</h1>\n"
		   "<p>Programs can read this as an <a href=\"%sapi/v1/openapi.json\">OpenAPI "
		   "document</a>.</p>\n",
		   slash ? "" : "docs/", slash ? "../" : "");
	return document_answer(call, &call->app->reference);
}
