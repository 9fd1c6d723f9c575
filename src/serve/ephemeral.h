/* SPDX-License-Identifier: MIT */
/* What docket serve --ephemeral serves: a demo account in a temporary folder. */
#ifndef SERVE_EPHEMERAL_H
#define SERVE_EPHEMERAL_H

#include "cli/cli.h"

#define EPHEMERAL_PATH_BYTES 4096
#define EPHEMERAL_TOKEN_BYTES 256

struct store;

/* A zeroed one is none. */
struct ephemeral {
	char folder[EPHEMERAL_PATH_BYTES]; /* mode 0700, in $TMPDIR or /tmp; "" where there is none
					    */
	char token[EPHEMERAL_TOKEN_BYTES]; /* of the user name admin */
};

/* Whether the settings are right: --data or --ephemeral, a token that fits and that belongs to
 * it. Says what is wrong. */
bool ephemeral_check(const struct settings *settings);

/* Makes the folder with the account; the token is the given one or new. Says what is wrong, and
 * leaves nothing then. */
bool ephemeral_make(const struct settings *settings, struct ephemeral *ephemeral);

/* Makes the records, before anything else writes to the store. Says what is wrong. */
enum err ephemeral_fill(const struct settings *settings, struct store *store);

/* Removes the folder, which no store has open any more. */
void ephemeral_remove(struct ephemeral *ephemeral);

#endif
