/* SPDX-License-Identifier: MIT */
/* The steps of a write, as a batch and a preview run them. */
#ifndef STORE_STEPS_H
#define STORE_STEPS_H

#include "store/state.h"

/* Prepares a new write for its steps. */
void write_init(struct store_write *write, struct store *store);
/* Removes what an earlier run of the steps has left in the write, and reads the clock. */
void write_start_afresh(struct store_write *write);
/* Step one of any write: lists the reads of the write and of its key. */
enum err write_read_first(struct store_write *write, struct calls *calls);
/* After them: lists the further reads of the write, or those of the first answer of its key. */
enum err write_read_more(struct store_write *write, struct calls *calls);

#endif
