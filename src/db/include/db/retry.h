/* SPDX-License-Identifier: MIT */
/* Decides which writes run again after their transaction failed and was rolled back. */
#ifndef DB_RETRY_H
#define DB_RETRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* How many of the `count` writes of a failed transaction may run together next time; 0: the error
 * is the outcome of each. `most`: how many were allowed to run together this time. */
size_t retry_together(enum err err, size_t count, size_t most);

/* Whether the same jobs run again together, on a new connection. `attempts`: how often they have
 * run. */
bool retry_reconnects(enum err err, unsigned attempts);

#endif
