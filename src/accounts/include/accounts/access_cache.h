/* SPDX-License-Identifier: MIT */
/* Remembers what access control found, so that most requests need no look-up in the database. It is
 * for a folder, which one process serves. On PostgreSQL another process may change access at any
 * time.
 *
 *	if (access_cache_find(cache, &lookup))
 *		return decide(&lookup);
 *	err = store_do(store, &lookup.read);
 *	if (!err && decide(&lookup))
 *		access_cache_keep(cache, &lookup);
 *
 * Only access to a known token of an active staff member is kept. A commit that may change access
 * ends everything that was found before it. Any thread may call these functions. */
#ifndef ACCOUNTS_ACCESS_CACHE_H
#define ACCOUNTS_ACCESS_CACHE_H

#include "accounts/accounts.h"

struct access_cache;

/* NULL: memory has run out. */
struct access_cache *access_cache_new(struct store *store);
/* NULL is accepted. */
void access_cache_free(struct access_cache *cache);

/* Finds what `lookup` would read, and puts it into `lookup->access` with texts in the arena of the
 * read. False: the caller must read it. A `cache` of NULL has nothing. */
bool access_cache_find(struct access_cache *cache, struct access_read *lookup);

/* Keeps what the caller read after access_cache_find() did not find it. */
void access_cache_keep(struct access_cache *cache, const struct access_read *lookup);

#endif
