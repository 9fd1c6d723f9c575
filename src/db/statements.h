/* SPDX-License-Identifier: MIT */
/* Which texts a connection has prepared as statements. A new text replaces the one unused for
 * longest. */
#ifndef DB_STATEMENTS_H
#define DB_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statement_text {
	char *sql;         /* NULL: free */
	const char *given; /* the address of the text in the last call: most texts are constants */
	uint64_t hash;
	uint64_t used; /* the value of the clock at its last use */
};

/* Looks for a text among `count`. True: it is at `at_out`. False: `at_out` is the slot to reuse;
 * call statement_forget() for it before statement_keep(). */
bool statement_find(struct statement_text *texts, size_t count, uint64_t *clock, const char *sql,
		    size_t *at_out);

/* Keeps a copy of the text. False: out of memory. */
bool statement_keep(struct statement_text *text, const char *sql, uint64_t clock);

/* Frees the copy and the slot. */
void statement_forget(struct statement_text *text);

#endif
