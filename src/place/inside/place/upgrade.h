/* SPDX-License-Identifier: MIT */
/* What follows a migration. */
#ifndef PLACE_UPGRADE_H
#define PLACE_UPGRADE_H

#include "place/folds.h"

/* What the migrations of this program leave to be done in their transaction: history and folds. */
enum err records_renew(struct db *db, int64_t now, struct folded *folded_out);

#endif
