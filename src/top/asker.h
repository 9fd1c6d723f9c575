/* SPDX-License-Identifier: MIT */
/* A thread that asks the process once a second, so that the page answers to keys meanwhile. */
#ifndef TOP_ASKER_H
#define TOP_ASKER_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

struct asker;

/* The settings must live as long as the process. NULL: no memory, or no thread. */
struct asker *asker_start(const struct settings *settings);
/* Becomes readable when there is an answer. */
int asker_fd(const struct asker *asker);
/* Takes the answer; the caller releases it. NULL: the process could not be asked, and `why` says
 * why. */
json_t *asker_take(struct asker *asker, struct buf *why, int64_t *us_out);

#endif
