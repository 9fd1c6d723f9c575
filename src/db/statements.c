/* SPDX-License-Identifier: MIT */
/* The texts of the prepared statements of a connection. A text is looked up by its address first,
 * then by its hash. */
#include "statements.h"

#include <stdlib.h>
#include <string.h>

static uint64_t text_hash(const char *sql)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *sql; sql++)
		hash = (hash ^ (unsigned char)*sql) * 0x100000001b3;
	return hash;
}

bool statement_find(struct statement_text *texts, size_t count, uint64_t *clock, const char *sql,
		    size_t *at_out)
{
	size_t oldest = 0;
	uint64_t hash;

	for (size_t i = 0; i < count; i++)
		if (texts[i].given == sql && strcmp(texts[i].sql, sql) == 0) {
			texts[i].used = ++*clock;
			*at_out = i;
			return true;
		}
	hash = text_hash(sql);
	for (size_t i = 0; i < count; i++) {
		struct statement_text *text = &texts[i];

		if (text->sql && text->hash == hash && strcmp(text->sql, sql) == 0) {
			text->used = ++*clock;
			text->given = sql;
			*at_out = i;
			return true;
		}
		if (text->used < texts[oldest].used)
			oldest = i;
	}
	*at_out = oldest;
	return false;
}

bool statement_keep(struct statement_text *text, const char *sql, uint64_t clock)
{
	*text = (struct statement_text){strdup(sql), sql, text_hash(sql), clock};
	return text->sql != NULL;
}

void statement_forget(struct statement_text *text)
{
	free(text->sql);
	*text = (struct statement_text){0};
}
