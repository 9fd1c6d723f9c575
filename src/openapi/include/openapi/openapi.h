/* SPDX-License-Identifier: MIT */
/* The description of the API: an OpenAPI 3.1 document for programs, and a page for people. They
 * are made from the tables that docket itself reads: routes, fields, filters, sorts, expansions
 * and codes. docket makes them once:
 *
 *     struct buf document = {0}, reference = {0};
 *
 *     openapi_write(&api_routes, &document, &reference);
 *     app.openapi.text = buf_slice(&document);
 *     app.reference.text = buf_slice(&reference); */
#ifndef OPENAPI_OPENAPI_H
#define OPENAPI_OPENAPI_H

#include "base/buf.h"
#include "pipeline/app.h"

/* `reference_out` gets the HTML that follows the heading of the page, up to the page's end. Ends
 * the process if memory runs out, so call it at the start only. */
void openapi_write(const struct route_table *routes, struct buf *document_out,
		   struct buf *reference_out);

#endif
