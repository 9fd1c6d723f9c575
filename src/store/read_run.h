/* SPDX-License-Identifier: MIT */
/* Runs a read once. */
#ifndef STORE_READ_RUN_H
#define STORE_READ_RUN_H

#include "store/state.h"

/* Runs a read on the connection, for at most `budget_ms`; 0: no limit. */
enum err read_run(struct store_read *read, struct db *db, int budget_ms);

#endif
