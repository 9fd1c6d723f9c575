/* SPDX-License-Identifier: MIT */
/* The message of an alert as HTML. It loads nothing, and it follows the reader's light or dark
 * theme. Mail programs that drop the style sheet show a heading, a table and a link. */
#include "base/html.h"
#include "message_private.h"

#define HEAD                                                                                        \
	"<!DOCTYPE html>\n"                                                                         \
	"<html lang=\"en\">\n"                                                                      \
	"<head>\n"                                                                                  \
	"<meta charset=\"utf-8\">\n"                                                                \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                \
	"<meta name=\"color-scheme\" content=\"light dark\">\n"                                     \
	"<meta name=\"supported-color-schemes\" content=\"light dark\">\n"                          \
	"<style>\n"                                                                                 \
	":root { color-scheme: light dark; }\n"                                                     \
	"body { margin: 0; padding: 24px 12px; background: #f2f4f7; color: #1b2530;\n"              \
	"  font: 16px/1.5 system-ui, -apple-system, \"Segoe UI\", Roboto, Arial, sans-serif; }\n"   \
	".card { max-width: 560px; margin: 0 auto; padding: 24px; background: #ffffff;\n"           \
	"  border: 1px solid #d9dfe6; border-radius: 8px; overflow-wrap: anywhere; }\n"             \
	"h1 { margin: 0 0 16px; font-size: 22px; line-height: 1.3; }\n"                             \
	"table { border-collapse: collapse; }\n"                                                    \
	"th { padding: 3px 20px 3px 0; color: #566371; font-weight: normal; text-align: left;\n"    \
	"  vertical-align: top; white-space: nowrap; }\n"                                           \
	"td { padding: 3px 0; vertical-align: top; }\n"                                             \
	".dot { display: inline-block; width: 10px; height: 10px; margin-right: 6px;\n"             \
	"  border-radius: 5px; }\n"                                                                 \
	".body { margin: 20px 0 0; padding-top: 16px; border-top: 1px solid #d9dfe6;\n"             \
	"  unicode-bidi: plaintext; }\n"                                                            \
	".open { display: inline-block; margin-top: 20px; padding: 8px 16px; border-radius: 6px;\n" \
	"  background: #1d5fbf; color: #ffffff; text-decoration: none; }\n"                         \
	".why { max-width: 560px; margin: 16px auto 0; color: #566371; font-size: 13px; }\n"        \
	"@media (prefers-color-scheme: dark) {\n"                                                   \
	"  body { background: #12161b; color: #e4e9ee; }\n"                                         \
	"  .card { background: #1c2229; border-color: #343d47; }\n"                                 \
	"  th, .why { color: #9eabb8; }\n"                                                          \
	"  .body { border-color: #343d47; }\n"                                                      \
	"  .open { background: #8ab8ff; color: #0d2240; }\n"                                        \
	"}\n"                                                                                       \
	"</style>\n"

static void html_add_lines(struct buf *out, const char *text)
{
	const char *between = "";
	struct slice line;

	while (message_next_line(&text, &line)) {
		buf_add_text(out, between);
		html_add(out, line);
		between = "<br>\n";
	}
}

/* Whether a style can have it: "#3366cc". */
static bool is_color(const char *color)
{
	return strlen(color) == 7 && color[0] == '#' &&
	       strspn(color + 1, "0123456789abcdefABCDEF") == 6;
}

static void html_add_row(struct buf *out, const struct message_facts *facts,
			 const struct message_row *row)
{
	buf_printf(out, "<tr><th scope=\"row\">%s</th><td dir=\"auto\">", row->label);
	if (row == facts->calendar && is_color(facts->color))
		buf_printf(out, "<span class=\"dot\" style=\"background: %s\"></span>",
			   facts->color);
	html_add_lines(out, row->value);
	buf_add_text(out, "</td></tr>\n");
}

void message_write_html(const struct message_facts *facts, struct buf *out)
{
	buf_add_text(out, HEAD "<title>");
	html_add(out, slice_of(facts->subject));
	buf_add_text(out, "</title>\n</head>\n<body>\n<div class=\"card\">\n<h1 dir=\"auto\">");
	html_add(out, slice_of(facts->title));
	buf_add_text(out, "</h1>\n<table>\n");
	for (size_t i = 0; i < facts->row_count; i++)
		html_add_row(out, facts, &facts->rows[i]);
	buf_add_text(out, "</table>\n");
	if (*facts->body) {
		buf_add_text(out, "<p class=\"body\" dir=\"auto\">");
		html_add_lines(out, facts->body);
		buf_add_text(out, "</p>\n");
	}
	if (*facts->link) {
		buf_add_text(out, "<a class=\"open\" href=\"");
		html_add(out, slice_of(facts->link));
		buf_add_text(out, "\">Open the task</a>\n");
	}
	buf_add_text(out, "</div>\n<p class=\"why\">");
	html_add(out, slice_of(facts->why));
	buf_add_text(out, "</p>\n</body>\n</html>\n");
}
