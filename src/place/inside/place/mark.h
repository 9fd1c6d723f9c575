/* SPDX-License-Identifier: MIT */
/* The mark of a database's state (store/recorder.h). */
#ifndef PLACE_MARK_H
#define PLACE_MARK_H

#include "store/state.h"

/* Sets store->mark to the mark of the database, or to "" if it has none. */
enum err mark_find(struct store *store);

/* Removes the mark from the database, because this process can change it now. store->mark becomes
 * the mark that it had, or "" if it had none. `changed`: the process has changed the database
 * already, so the mark does not say any more which state it has. */
enum err mark_take(struct store *store, bool changed);

#endif
