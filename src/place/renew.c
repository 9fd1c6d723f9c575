/* SPDX-License-Identifier: MIT */
/* What is done after a migration. */
#include "place/renew.h"

#include "records/history_renew.h"

enum err records_renew(struct db *db, int64_t had, int64_t now, struct folded *folded_out,
		       struct buf *why)
{
	enum err err = history_renew(db, had, now, why);

	return err ? err : folds_make(db, folded_out);
}
