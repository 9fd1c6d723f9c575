/* SPDX-License-Identifier: MIT */
/* The syntax that header values share (RFC 9110, section 5.6): items, parameters, quoted strings.
 */
#include "http/header_items.h"

static struct slice blanks_trim(struct slice text)
{
	while (text.len && strchr(" \t", *text.ptr)) {
		text.ptr++;
		text.len--;
	}
	while (text.len && strchr(" \t", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool header_next(struct slice *rest, char separator, struct slice *item_out)
{
	bool quoted = false;
	size_t len = 0;

	if (!rest->len)
		return false;
	while (len < rest->len && (quoted || rest->ptr[len] != separator)) {
		if (rest->ptr[len] == '"')
			quoted = !quoted;
		if (quoted && rest->ptr[len] == '\\' && len + 1 < rest->len)
			len++;
		len++;
	}
	*item_out = blanks_trim((struct slice){rest->ptr, len});
	len += len < rest->len;
	*rest = (struct slice){rest->ptr + len, rest->len - len};
	return true;
}

struct slice header_parameter(struct slice item, struct slice *value_out)
{
	const char *equals = item.len ? memchr(item.ptr, '=', item.len) : NULL;
	struct slice name = {item.ptr, equals ? (size_t)(equals - item.ptr) : item.len};
	struct slice value = {NULL, 0};

	if (equals)
		value = blanks_trim((struct slice){equals + 1, item.len - name.len - 1});
	if (value.len >= 2 && *value.ptr == '"' && value.ptr[value.len - 1] == '"')
		value = (struct slice){value.ptr + 1, value.len - 2};
	*value_out = value;
	return blanks_trim(name);
}
