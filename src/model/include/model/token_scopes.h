/* SPDX-License-Identifier: MIT */
/* The scopes of API tokens: what a token may do, by kind of record. `tasks:read` allows reading
 * tasks, `tasks:write` reading and writing them; `all:read` and `all:write` are for every kind. A
 * write answers with the record, so it is a read too.
 *
 *	token_scopes need = token_scope(RECORD_TASK, true);
 *
 *	if (token_scopes_lacking(token->scopes, need))
 *		refuse(); */
#ifndef MODEL_TOKEN_SCOPES_H
#define MODEL_TOKEN_SCOPES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "model/list.h"
#include "model/records.h"

/* A set of scopes, as it is stored. */
typedef uint32_t token_scopes;

#define TOKEN_SCOPES_NONE ((token_scopes)0)
#define TOKEN_SCOPES_READ_ALL ((token_scopes)1)  /* all:read */
#define TOKEN_SCOPES_WRITE_ALL ((token_scopes)2) /* all:write: a token without limits */

/* The scope that reads or writes records of that kind. */
token_scopes token_scope(enum record_kind kind, bool writes);
/* The scopes that read each kind. */
token_scopes token_scopes_to_read(void);

/* The scopes of `need` that a token with the scopes `have` lacks. */
token_scopes token_scopes_lacking(token_scopes have, token_scopes need);

/* The scopes that read the records of these expansions, as bits. */
token_scopes token_scopes_of(const struct record_lists *lists, uint32_t expansions);
/* Those of the expansions that a token with these scopes may read. */
uint32_t token_scopes_allow(token_scopes scopes, const struct record_lists *lists,
			    uint32_t expansions);

/* Whether none of the scopes writes: the token is read-only. */
bool token_scopes_only_read(token_scopes scopes);

/* Reads a comma list of names. False: it has a name that is no scope, which is in `wrong_out`, or
 * it is empty; `scopes_out` is then untouched. */
bool token_scopes_read(const char *list, token_scopes *scopes_out, struct slice *wrong_out);

/* Calls on_name with the name of each scope of the set, such as "tasks:read". */
void token_scopes_each(token_scopes scopes, void (*on_name)(void *context, const char *name),
		       void *context);

/* Writes the names, with `between` between two. */
void token_scopes_write(token_scopes scopes, const char *between, struct buf *out);

#endif
