/* SPDX-License-Identifier: MIT */
/* The header Docket-Ignored: the fields and parameters of a lenient request that were ignored. They
 * may not all fit into the head of an answer: long names are shortened, and names beyond the limit
 * are only counted. */
#include "pipeline_private.h"

#define IGNORED_MAX 1000 /* bytes of the header's value */
#define NAME_MAX_SHOWN 300
#define MORE_MAX 32 /* bytes of the number of names left out */

/* `list` is made by decode_ignore(): names without commas and blanks, joined by ", ". */
static void names_shorten(struct slice list, struct buf *out)
{
	size_t more = 0;

	while (list.len) {
		const char *end = memchr(list.ptr, ',', list.len);
		size_t len = end ? (size_t)(end - list.ptr) : list.len;
		size_t shown = len > NAME_MAX_SHOWN ? NAME_MAX_SHOWN - strlen("...") : len;

		if (more || out->len + shown + strlen(", ...") + MORE_MAX > IGNORED_MAX) {
			more++;
		} else {
			buf_add_text(out, out->len ? ", " : "");
			buf_add(out, list.ptr, shown);
			buf_add_text(out, shown < len ? "..." : "");
		}
		len += end ? strlen(", ") : 0;
		list = (struct slice){list.ptr + len, list.len - len};
	}
	if (more)
		buf_printf(out, " and %zu more", more);
}

void answer_add_ignored(struct call *call)
{
	struct buf shown = {0};
	char *names = NULL;

	if (!call->ignored.len || call->ignored.failed)
		return;
	names_shorten(buf_slice(&call->ignored), &shown);
	if (!shown.failed)
		names = arena_copy(&call->http->arena, buf_slice(&shown));
	buf_release(&shown);
	if (!names)
		return;
	if (call->preferred)
		http_add_header(call->http, "Preference-Applied", "handling=lenient");
	http_add_header(call->http, "Docket-Ignored", names);
}
