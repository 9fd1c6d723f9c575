/* SPDX-License-Identifier: MIT */
/* What is done after a migration. */
#include "place/renew.h"

#include "audit/audit.h"
#include "place/place.h"
#include "records/history_renew.h"

enum err records_renew(struct db *db, int64_t had, int64_t now, struct folded *folded_out,
		       struct buf *why)
{
	enum err err = history_renew(db, had, now, why);
	struct buf details = {0};

	if (!err)
		err = folds_make(db, folded_out);
	buf_printf(&details, "{\"from\":%lld,\"to\":%d}", (long long)had, store_schema());
	if (!err)
		err = details.failed ? ERR_NOMEM
				     : audit_append(db, "migrate", buf_slice(&details), now);
	buf_release(&details);
	return err;
}
