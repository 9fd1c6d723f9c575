/* SPDX-License-Identifier: MIT */
/* A store in a PostgreSQL database, which other processes may serve as well. */
#ifndef PLACE_DATABASE_H
#define PLACE_DATABASE_H

#include "place/place.h"
#include "store/state.h"

enum err database_open(struct store *store, struct buf *why);
enum err database_create(struct store *store, const struct store_first *first, struct buf *why);
enum err database_lock(struct store *store, struct buf *why);
enum err database_open_reading(struct store *store, struct db **db_out, struct buf *why);
enum err database_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			   struct buf *why);

#endif
