/* SPDX-License-Identifier: MIT */
/* Which texts of statements a connection has prepared: the least recently used makes room. */
#ifndef DB_STATEMENTS_H
#define DB_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statement_text {
	char *sql;         /* NULL: free */
	const char *given; /* where it last came from: most texts are constants */
	uint64_t hash;
	uint64_t used; /* the clock of its last use */
};

/* True where one of `count` is of that text, and `at_out` is which; else that is the one to be
 * reused, which must be forgotten first. */
bool statement_find(struct statement_text *texts, size_t count, uint64_t *clock, const char *sql,
		    size_t *at_out);

/* Keeps a copy of the text; false when memory is out. */
bool statement_keep(struct statement_text *text, const char *sql, uint64_t clock);

void statement_forget(struct statement_text *text);

#endif
