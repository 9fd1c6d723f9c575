/* SPDX-License-Identifier: MIT */
/* Renews the history after a migration. */
#ifndef RECORDS_HISTORY_RENEW_H
#define RECORDS_HISTORY_RENEW_H

#include "base/buf.h"
#include "db/db.h"

/* The first schema whose history has a chain, and the first whose chain covers digests of the
 * values in place of the values. */
#define HISTORY_CHAIN_SCHEMA 4
#define HISTORY_DIGESTS_SCHEMA 11

/* Adds an entry for each record that a migration has changed, in the open transaction. A database
 * that had a schema before HISTORY_DIGESTS_SCHEMA first gets a new chain. ERR_CORRUPT, with `why`:
 * the old chain is broken. */
enum err history_renew(struct db *db, int64_t had, int64_t now, struct buf *why);

#endif
