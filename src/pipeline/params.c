/* SPDX-License-Identifier: MIT */
/* Parameters of the query: percent-encoded pairs `name=value`, joined by `&`. The route's
 * read_params then reads those that it takes. */
#include "pipeline_private.h"
#include "base/text.h"
#include "codec/codec.h"

/* Decodes into `out`, of raw.len + 1 bytes. False: it is malformed, has a NUL, or is not UTF-8. */
static bool param_decode(struct slice raw, char *out)
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

/* The name without `[]` or `[0]` at its end, which PHP adds to a parameter with several values. */
static struct slice param_base_name(const char *name)
{
	const char *open = strchr(name, '[');
	size_t digits = open ? strspn(open + 1, "0123456789") : 0;

	if (open && strcmp(open + 1 + digits, "]") == 0)
		return (struct slice){name, (size_t)(open - name)};
	return slice_of(name);
}

/* Adds a parameter. A malformed one is left out and adds a fault. ERR_NOMEM. */
static enum err params_add(struct call *call, struct slice pair)
{
	const char *equals = memchr(pair.ptr, '=', pair.len);
	struct slice raw_name = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
	struct slice raw_value = {pair.ptr + raw_name.len + 1, 0};
	struct param *param = arena_alloc(&call->http->arena, sizeof(*param));
	char *name = arena_alloc(&call->http->arena, raw_name.len + 1), *value;

	if (equals)
		raw_value.len = pair.len - raw_name.len - 1;
	value = arena_alloc(&call->http->arena, raw_value.len + 1);
	if (!param || !name || !value)
		return ERR_NOMEM;
	if (!param_decode(raw_name, name)) {
		faults_add(&call->faults, "query", FAULT_FORMAT,
			   "has a parameter whose name is not percent-encoded UTF-8");
		return OK;
	}
	param->name = name;
	param->base = param_base_name(name);
	if (!param_decode(raw_value, value)) {
		faults_add(&call->faults, name, FAULT_FORMAT, "is not percent-encoded UTF-8");
		return OK;
	}
	param->value = slice_of(value);
	*call->params_last = param;
	call->params_last = &param->next;
	return OK;
}

static enum err params_split(struct call *call)
{
	struct slice rest = call->http->query;
	enum err err = OK;

	call->params_last = &call->params;
	while (rest.len && !err) {
		const char *end = memchr(rest.ptr, '&', rest.len);
		struct slice pair = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};

		if (pair.len)
			err = params_add(call, pair);
		rest = end ? (struct slice){end + 1, rest.len - pair.len - 1} : SLICE("");
	}
	return err;
}

const char **parameter_names(struct call *call, const struct parameter *parameters, size_t more)
{
	const char **names;
	size_t count = 0;

	while (parameters[count].name)
		count++;
	names = arena_alloc(&call->http->arena, (count + more + 1) * sizeof(*names));
	for (size_t i = 0; names && i < count; i++)
		names[i] = parameters[i].name;
	return names;
}

void params_unknown(struct call *call, const struct param *param, const char *const *names)
{
	const char *nearest = text_nearest(slice_of(param->name), names);

	if (call->lenient)
		decode_ignore(&call->ignored, param->name);
	else if (nearest)
		faults_add(&call->faults, param->name, FAULT_UNKNOWN_FIELD,
			   "is not a known parameter; did you mean %s?", nearest);
	else
		faults_add(&call->faults, param->name, FAULT_UNKNOWN_FIELD,
			   "is not a known parameter%s", *names ? "" : "; this request takes none");
}

bool params_check(struct call *call)
{
	static const char *const none[] = {NULL};
	enum err err = params_split(call);

	if (!err && call->route->read_params)
		err = call->route->read_params(call);
	else
		for (const struct param *param = call->params; param && !err; param = param->next)
			params_unknown(call, param, none);
	if (err)
		problem_err(call, err);
	else if (call->faults.count)
		problem_faults(call, PROBLEM_INVALID_PARAMETER);
	return !err && call->faults.count == 0 && access_allows(call, call->needs);
}
