/* SPDX-License-Identifier: MIT */
/* One run of a read. */
#ifndef STORE_READ_RUN_H
#define STORE_READ_RUN_H

#include "store/state.h"

/* Runs a read on that connection; it may take so many milliseconds, 0 being any. */
enum err read_run(struct store_read *read, struct db *db, int budget_ms);

#endif
