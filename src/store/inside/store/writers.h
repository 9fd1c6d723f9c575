/* SPDX-License-Identifier: MIT */
/* The threads that write. */
#ifndef STORE_WRITERS_H
#define STORE_WRITERS_H

#include "store/state.h"

enum err writers_start(struct store *store, unsigned count);
/* Ends their threads when the queues are empty. */
void writers_stop(struct store *store);
void writers_free(struct store *store);

#endif
