/* SPDX-License-Identifier: MIT */
/* The threads that write. */
#ifndef STORE_WRITERS_H
#define STORE_WRITERS_H

#include "store/state.h"

/* Sets store->writers. ERR_NOMEM. */
enum err writers_start(struct store *store, unsigned count);

#endif
