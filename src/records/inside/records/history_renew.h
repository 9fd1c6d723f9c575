/* SPDX-License-Identifier: MIT */
/* Renews the history after a migration. */
#ifndef RECORDS_HISTORY_RENEW_H
#define RECORDS_HISTORY_RENEW_H

#include "db/db.h"

/* Adds an entry for each record that a migration has changed, in the open transaction. */
enum err history_renew(struct db *db, int64_t now);

#endif
