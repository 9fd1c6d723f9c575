/* SPDX-License-Identifier: MIT */
/* Tells that an API token expires soon: in the log, and in a mail to the staff with full access of
 * its account. */
#ifndef SERVE_TOKEN_NOTICES_H
#define SERVE_TOKEN_NOTICES_H

#include "base/err.h"
#include "cli/cli.h"
#include "store/store.h"

struct token_notices;

/* Starts the thread that looks for such tokens. The settings and the store must outlive it. An
 * error is logged. */
enum err token_notices_start(const struct settings *settings, struct store *store,
			     struct token_notices **notices_out);

/* Begins to end, and returns at once. NULL is accepted. */
void token_notices_drain(struct token_notices *notices);

/* Ends the thread: a message that is being sent is broken off within a second. NULL is accepted. */
void token_notices_stop(struct token_notices *notices);

#endif
