/* SPDX-License-Identifier: MIT */
/* Parameters of the query: `name=value` pairs, percent-encoded, joined by `&`. */
#include "api/api_private.h"
#include "base/text.h"
#include "codec/codec.h"

/* Decodes one name or value in place of a copy; false where it is malformed. */
static bool decode(struct slice raw, char *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		const char *high, *low;

		if (raw.ptr[i] != '%') {
			out[len++] = raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
			continue;
		}
		if (i + 2 >= raw.len)
			return false;
		high = memchr(digits, raw.ptr[i + 1], sizeof(digits) - 1);
		low = memchr(digits, raw.ptr[i + 2], sizeof(digits) - 1);
		if (!high || !low)
			return false;
		out[len] = (char)(((high - digits) % 16) * 16 + (low - digits) % 16);
		if (out[len++] == '\0')
			return false;
		i += 2;
	}
	out[len] = '\0';
	return text_is_utf8((struct slice){out, len});
}

bool params_check(struct call *call)
{
	struct slice rest = call->http->query;

	while (rest.len) {
		const char *end = memchr(rest.ptr, '&', rest.len);
		struct slice pair = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
		const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
		struct slice name = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
		char *decoded = arena_alloc(&call->http->arena, name.len + 1);

		rest = end ? (struct slice){end + 1, rest.len - pair.len - 1} : SLICE("");
		if (pair.len == 0)
			continue;
		if (!decoded) {
			problem_err(call, ERR_NOMEM);
			return false;
		}
		if (!decode(name, decoded)) {
			problem(call, 400, "the query is not percent-encoded UTF-8");
			return false;
		}
		if (call->lenient)
			decode_ignore(&call->ignored, decoded);
		else
			faults_add(&call->faults, decoded, FAULT_UNKNOWN_FIELD,
				   "is not a parameter of this request, which has none");
	}
	if (call->faults.count)
		problem_faults(call, 400);
	return call->faults.count == 0;
}
