/* SPDX-License-Identifier: MIT */
/* The steps of a write, as a batch and a preview run them. */
#ifndef STORE_STEPS_H
#define STORE_STEPS_H

#include "store/state.h"

/* Takes back what an earlier run of the steps has left. */
void write_start_afresh(struct store_write *write);
/* Step one of any write: its reads, and that of its key. */
enum err write_read_first(struct store_write *write, struct calls *calls);
/* When these are done: what else it reads, or the answer that its key had. */
enum err write_read_more(struct store_write *write, struct calls *calls);

#endif
