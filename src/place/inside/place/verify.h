/* SPDX-License-Identifier: MIT */
/* Verifies a database as a whole. check/ has the rules for single records. */
#ifndef PLACE_VERIFY_H
#define PLACE_VERIFY_H

#include "db/db.h"

/* The checks of the database itself: its integrity and its foreign keys. `broken_out` becomes the
 * first rule that is broken; NULL: none is. The database may have any schema. */
enum err database_verify_file(struct db *db, const char **broken_out);

/* The same, and the chains of the history. The database must have this program's schema. */
enum err database_verify(struct db *db, const char **broken_out);

#endif
