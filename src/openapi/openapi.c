/* SPDX-License-Identifier: MIT */
/* The document: about the API, its paths, and what they share. */
#include "openapi/openapi.h"

#include <stdlib.h>

#include "openapi_private.h"

static const char description[] =
	"docket is a self-hosted server for casework tasks.\n\n"
	"Requests need HTTP Basic access. The user name is `{username}/token`, the password an API token of "
	"the account. The token must have the scopes that `x-scopes` of a request lists.\n\n"
	"`HEAD` works wherever `GET` does. A path may end with a slash. `OPTIONS` answers with `Allow`.\n\n"
	"A request has a record under its key, such as `{\"task\": {…}}`. An answer has the record without a "
	"key. Where a request has an integer, docket takes a string of its digits as well. An empty string "
	"in place of an integer, a date, a time or an address means `null`.\n\n"
	"Several values of a filter are a comma list (`status=none,complete`), or the parameter comes "
	"several times (`user=1&user=2`, `user[]=1`).\n\n"
	"A filter of a time takes a date as well. In `_from` it means the first second of the day in UTC, in "
	"`_to` the last. For days of another zone, give times with an offset: `2026-10-01T00:00:00-07:00` (write "
	"`+` as `%2B`). A time without an offset is in UTC.\n\n"
	"The names are those of the API that docket speaks. A case is `case` in filters and `expand`, and "
	"`casefile` in fields and bodies. A staff member is `user` in filters, `users` in `expand`, "
	"`users_list` in fields and `staff` in paths. In `Casefile`, `Users` and the like, `expand` adds the "
	"records themselves.\n\n"
	"A field or parameter that docket does not know is an error. Only requests that need no "
	"access ignore parameters.\n\n"
	"Later versions of docket may add members to answers: a client must ignore those that it does not know. "
	"They may also add problems, and values of members such as `status`: a client must not fail at one that "
	"it does not know.";

static json_t *tags(void)
{
	json_t *all = PACK("[]");

	for (size_t kind = RECORD_KINDS; kind-- > 0;)
		add(all, PACK("{s:o,s:o}", "name", worded("{records}", record_types[kind]),
			      "description", worded("Requests on {records}.", record_types[kind])));
	add(all,
	    PACK("{s:s,s:s}", "name", "account", "description", "Requests on the whole account."));
	add(all,
	    PACK("{s:s,s:s}", "name", "server", "description", "Requests that need no access."));
	return all;
}

static json_t *components(void)
{
	json_t *schemas = PACK("{}");
	json_t *basic = PACK("{s:s,s:s,s:s}", "type", "http", "scheme", "basic", "description",
			     "The user name `{username}/token`, and an API token as the password.");

	put_record_schemas(schemas);
	put_object_schemas(schemas);
	return PACK("{s:o,s:o,s:o,s:o,s:{s:o}}", "schemas", schemas, "parameters",
		    header_parameters(), "headers", answer_headers(), "responses",
		    problem_responses(), "securitySchemes", "basic", basic);
}

void openapi_write(const struct route_table *routes, struct buf *document_out,
		   struct buf *reference_out)
{
	json_t *document = PACK("{s:s,s:{s:s,s:s,s:s,s:{s:s,s:s}}}", "openapi", "3.1.0", "info",
				"title", "docket", "version", DOCKET_VERSION, "description",
				description, "license", "name", "MIT", "identifier", "MIT");
	char *text;

	/* The root of the server, seen from this document. So it is right behind a proxy too. */
	put(document, "servers", PACK("[{s:s}]", "url", "../.."));
	put(document, "security", PACK("[{s:[]}]", "basic"));
	put(document, "tags", tags());
	put(document, "paths", paths(routes));
	put(document, "components", components());
	text = json_dumps(document, JSON_COMPACT);
	if (text)
		buf_add_text(document_out, text);
	reference_add(document, reference_out);
	json_decref(document);
	if (!text || document_out->failed || reference_out->failed)
		made(NULL);
	free(text);
}
