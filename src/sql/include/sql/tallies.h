/* SPDX-License-Identifier: MIT */
/* The changes of tallies (model/tally.h) that the writes of a batch note. */
#ifndef SQL_TALLIES_H
#define SQL_TALLIES_H

#include "base/buf.h"
#include "model/tally.h"
#include "sql/calls.h"

/* Notes that `change` more tasks of the block of task `id` have the value; below 0: fewer. */
void tallies_note(struct buf *noted, int64_t account_id, enum tally_field field, int64_t value,
		  int64_t id, int64_t change);

/* Lists the statements that change the tallies by what `noted` has: one for each tally, however
 * many writes change it. ERR_NOMEM, also if a note was lost. */
enum err tallies_change(struct buf *noted, struct calls *calls);

#endif
