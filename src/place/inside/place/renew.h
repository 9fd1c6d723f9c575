/* SPDX-License-Identifier: MIT */
/* What is done after a migration. */
#ifndef PLACE_RENEW_H
#define PLACE_RENEW_H

#include "place/folds.h"

/* Makes the history and the folds fit the migrated records, and adds an entry to the audit log, in
 * the transaction of the migrations. */
enum err records_renew(struct db *db, int64_t had, int64_t now, struct folded *folded_out,
		       struct buf *why);

#endif
