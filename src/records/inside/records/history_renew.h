/* SPDX-License-Identifier: MIT */
/* The history after a migration. */
#ifndef RECORDS_HISTORY_RENEW_H
#define RECORDS_HISTORY_RENEW_H

#include "db/db.h"

/* Has the history say what records are after a migration. */
enum err history_renew(struct db *db, int64_t now);

#endif
