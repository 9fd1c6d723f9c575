/* SPDX-License-Identifier: MIT */
/* How many reads and writes may wait, and how many bytes. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/state.h"

/* Counts a read or write that is queued, with its body. ERR_BUSY where too much is waiting. */
enum err queue_enter(struct store *store, size_t bytes);
void queue_leave(struct store *store, size_t bytes);

#endif
