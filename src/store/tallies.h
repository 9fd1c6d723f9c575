/* SPDX-License-Identifier: MIT */
/* The changes of tallies (model/tally.h) that the writes of a batch have noted. */
#ifndef STORE_TALLIES_H
#define STORE_TALLIES_H

#include "base/buf.h"
#include "sql/calls.h"

/* Lists the statements that change the tallies by what `noted` has: one for each tally, however
 * many writes change it. ERR_NOMEM, also if a note was lost. */
enum err tallies_change(struct buf *noted, struct calls *calls);

#endif
