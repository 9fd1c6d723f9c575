/* SPDX-License-Identifier: MIT */
/* docket serve --ephemeral: a demo account in a temporary folder. */
#ifndef SERVE_EPHEMERAL_H
#define SERVE_EPHEMERAL_H

#include "cli/cli.h"

#define EPHEMERAL_PATH_BYTES 4096
#define EPHEMERAL_TOKEN_BYTES 256

struct store;

/* Zeroed: there is no folder. */
struct ephemeral {
	char folder[EPHEMERAL_PATH_BYTES]; /* mode 0700; "": there is none */
	char token[EPHEMERAL_TOKEN_BYTES]; /* the API token of the user name admin */
};

/* Checks that --ephemeral is given, or else --data or --database. --token needs --ephemeral, and
 * must be well-formed. Prints what is wrong. */
bool ephemeral_check(const struct settings *settings);

/* Makes the folder with the account. The token is --token or a new one. False: nothing is left, and
 * the error is logged. */
bool ephemeral_make(const struct settings *settings, struct ephemeral *ephemeral);

/* Makes the demo records, before anything else writes to the store. */
enum err ephemeral_fill(const struct settings *settings, struct store *store);

/* Removes the folder. Its store must be closed. */
void ephemeral_remove(struct ephemeral *ephemeral);

#endif
