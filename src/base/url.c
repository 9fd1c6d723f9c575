/* SPDX-License-Identifier: MIT */
/* Parts of URLs, read in settings and headers. */
#include "base/url.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define HOST_MAX 253 /* characters of a name (RFC 1035, section 2.3.4) */

/* The number of bytes of `text`, from `at` on, that are in `set`. */
static size_t span_len(struct slice text, size_t at, const char *set)
{
	size_t from = at;

	while (at < text.len && text.ptr[at] && strchr(set, text.ptr[at]))
		at++;
	return at - from;
}

static bool has_part(struct slice text, const char *part)
{
	return text.ptr && memmem(text.ptr, text.len, part, strlen(part));
}

/* The length of the name or of the address in brackets at `at`; 0 if there is none. */
static size_t host_len(struct slice text, size_t at)
{
	struct slice name;

	if (at < text.len && text.ptr[at] == '[') {
		size_t len = span_len(text, at + 1, HEX ":.");

		return len && at + 1 + len < text.len && text.ptr[at + 1 + len] == ']' ? len + 2
										       : 0;
	}
	name = (struct slice){text.ptr + at, span_len(text, at, LETTERS DIGITS "-._")};
	return name.len && name.len <= HOST_MAX && name.ptr[0] != '.' && !has_part(name, "..")
		       ? name.len
		       : 0;
}

/* Whether the text behind the colon is a number from 1 to 65535. */
static bool is_port(struct slice text)
{
	long number = 0;

	if (text.len == 0 || text.len > 5 || text.ptr[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++)
		number = number * 10 + (text.ptr[i] - '0');
	return number <= 65535;
}

struct slice url_origin(struct slice text)
{
	const struct slice none = {NULL, 0};
	size_t at = span_len(text, 0, LETTERS DIGITS "+-."), len;

	if (at == 0 || !strchr(LETTERS, text.ptr[0]) || text.len - at < 3 ||
	    memcmp(text.ptr + at, "://", 3) != 0)
		return none;
	at += 3;
	len = host_len(text, at);
	if (!len)
		return none;
	at += len;
	if (at < text.len && text.ptr[at] == ':') {
		struct slice port = {text.ptr + at + 1, span_len(text, at + 1, DIGITS)};

		if (!is_port(port))
			return none;
		at += 1 + port.len;
	}
	return (struct slice){text.ptr, at};
}

struct slice url_host(struct slice origin)
{
	size_t at = span_len(origin, 0, LETTERS DIGITS "+-.") + strlen("://");

	return (struct slice){origin.ptr + at, host_len(origin, at)};
}

struct slice url_port(struct slice origin)
{
	struct slice host = url_host(origin);
	size_t at = (size_t)(host.ptr - origin.ptr) + host.len;

	return at < origin.len ? (struct slice){origin.ptr + at + 1, origin.len - at - 1}
			       : SLICE("");
}

/* Whether there is a "%" with two hexadecimal digits that do not mean a dot, a slash or a
 * backslash. */
static bool is_encoded(struct slice text, size_t at)
{
	struct slice digits = {text.ptr + at + 1, 2};

	return span_len(text, at + 1, HEX) >= 2 && !slice_is_nocase(digits, "2e") &&
	       !slice_is_nocase(digits, "2f") && !slice_is_nocase(digits, "5c");
}

const char *url_with_name(struct arena *arena, struct slice url, struct slice name)
{
	struct slice origin = url_origin(url), host = origin.len ? url_host(origin) : url;
	int front = (int)(host.ptr - url.ptr);

	return arena_printf(arena, "%.*s%.*s.%.*s", front, url.ptr, (int)name.len, name.ptr,
			    (int)url.len - front, host.ptr);
}

bool url_is_path(struct slice text)
{
	if (text.len == 0 || text.ptr[0] != '/' || has_part(text, "//") || has_part(text, "..") ||
	    has_part(text, "/./") ||
	    (text.len > 1 && memcmp(text.ptr + text.len - 2, "/.", 2) == 0))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '%' ? !is_encoded(text, i)
				       : !span_len(text, i, LETTERS DIGITS "/-._~!$&'()*+;=:@"))
			return false;
	return true;
}

bool url_list_next(const char **list, struct slice *entry_out)
{
	const char *at = *list;
	size_t len;

	if (!at)
		return false;
	at += strspn(at, " \t");
	len = strcspn(at, ",");
	*list = at[len] ? at + len + 1 : NULL;
	while (len && strchr(" \t", at[len - 1]))
		len--;
	*entry_out = (struct slice){at, len};
	return true;
}
