/* SPDX-License-Identifier: MIT */
/* The header Prefer (RFC 7240): `handling=lenient` is the one preference that docket knows. */
#include "pipeline_private.h"

static struct slice text_trim(const char *text, size_t len)
{
	while (len && strchr(" \t", *text)) {
		text++;
		len--;
	}
	while (len && strchr(" \t", text[len - 1]))
		len--;
	return (struct slice){text, len};
}

/* If `handling` stands there several times, the first counts (RFC 7240, sections 2 and 4.4). */
bool prefer_read(struct call *call)
{
	struct slice prefer;

	if (http_header_list(call->http, "Prefer", &prefer)) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	for (const char *at = prefer.ptr; *at; at += strcspn(at, ","), at += *at == ',') {
		size_t len = strcspn(at, ",;"), name_len = strcspn(at, "=,;");
		struct slice value;

		if (name_len == len || !slice_is_nocase(text_trim(at, name_len), "handling"))
			continue;
		value = text_trim(at + name_len + 1, len - name_len - 1);
		call->lenient =
			slice_is_nocase(value, "lenient") || slice_is_nocase(value, "\"lenient\"");
		call->preferred = call->lenient;
		break;
	}
	return true;
}
