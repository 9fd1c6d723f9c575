/* SPDX-License-Identifier: MIT */
/* What both forms of a message show. */
#ifndef ALERTS_MESSAGE_PRIVATE_H
#define ALERTS_MESSAGE_PRIVATE_H

#include "base/buf.h"

#define MESSAGE_ROWS 7

/* Texts are UTF-8. Those of the task, its case and so on may be anything, and have been made safe
 * by text_shown(). */
struct message_facts {
	const char *subject; /* of the message */
	const char *title;
	/* The table; a value may have several lines. */
	struct message_row {
		const char *label, *value;
	} rows[MESSAGE_ROWS];
	size_t row_count;
	const char *body; /* of the task, one or more lines; "": none */
	const char *link; /* "": none */
	const char *why;  /* when and why the staff member gets the message */
	/* The calendar's row, and its color such as "#3366cc"; NULL: none. */
	const struct message_row *calendar;
	const char *color;
};

/* Takes the next line of a text, without its end. False at the end. */
bool message_next_line(const char **text, struct slice *line_out);

/* Writes the HTML document. */
void message_write_html(const struct message_facts *facts, struct buf *out);

#endif
