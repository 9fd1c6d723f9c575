/* SPDX-License-Identifier: MIT */
/* What the files of the PostgreSQL driver share. */
#ifndef DB_POSTGRES_PRIVATE_H
#define DB_POSTGRES_PRIVATE_H

#include "db/db.h"

extern const struct db_dialect postgres_dialect;

#endif
