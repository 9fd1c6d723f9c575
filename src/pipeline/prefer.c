/* SPDX-License-Identifier: MIT */
/* The header Prefer (RFC 7240): `handling=lenient` is the one preference that docket knows. */
#include "pipeline_private.h"
#include "http/header_items.h"

/* If the header has `handling` several times, the first counts (RFC 7240, sections 2 and 4.4). */
enum handling prefer_handling(struct slice list)
{
	struct slice preference, first, value;

	while (header_next(&list, ',', &preference)) {
		if (!header_next(&preference, ';', &first) ||
		    !slice_is_nocase(header_parameter(first, &value), "handling") || !value.ptr)
			continue;
		return slice_is_nocase(value, "lenient") ? HANDLING_LENIENT : HANDLING_STRICT;
	}
	return HANDLING_NOT_GIVEN;
}

bool prefer_read(struct call *call)
{
	struct slice prefer;
	enum handling handling;

	if (http_header_list(call->http, "Prefer", &prefer)) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	handling = prefer_handling(prefer);
	if (handling != HANDLING_NOT_GIVEN)
		call->lenient = call->preferred = handling == HANDLING_LENIENT;
	return true;
}
