/* SPDX-License-Identifier: MIT */
/* Escapes texts for HTML. */
#include "base/html.h"

static void html_add_char(struct buf *out, char c)
{
	static const char *const escapes[128] = {['&'] = "&amp;",
						 ['<'] = "&lt;",
						 ['>'] = "&gt;",
						 ['"'] = "&quot;",
						 ['\''] = "&#39;"};
	unsigned char byte = (unsigned char)c;

	if (byte < 128 && escapes[byte])
		buf_add_text(out, escapes[byte]);
	else
		buf_add_char(out, c);
}

void html_add(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		html_add_char(out, text.ptr[i]);
}

void html_add_marked(struct buf *out, const char *text)
{
	bool code = false;

	for (; *text; text++) {
		if (*text != '`') {
			html_add_char(out, *text);
			continue;
		}
		code = !code;
		buf_add_text(out, code ? "<code>" : "</code>");
	}
}
