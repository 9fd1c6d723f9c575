/* SPDX-License-Identifier: MIT */
/* What access control found lately. Each token has one place in a table, by its hash. A newer token
 * takes the place of an older one. */
#include "accounts/access_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "store/state.h"

#define PLACES 4096
#define LOCKS 64

struct kept {
	struct arena arena; /* the texts */
	uint64_t changes;   /* store->access_changes before it was read */
	bool used;
	struct slice username; /* as the client gave it */
	struct access access;
};

struct access_cache {
	struct store *store;
	pthread_mutex_t locks[LOCKS];
	struct kept places[PLACES];
};

struct access_cache *access_cache_new(struct store *store)
{
	struct access_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->store = store;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&cache->locks[i], NULL);
	return cache;
}

void access_cache_free(struct access_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < PLACES; i++)
		arena_release(&cache->places[i].arena);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	free(cache);
}

static size_t place_number(const struct access_read *lookup)
{
	uint32_t number;

	memcpy(&number, lookup->hash, sizeof(number));
	return number % PLACES;
}

static bool access_copy(struct arena *arena, const struct access *from, struct access *to)
{
	struct slice *const texts[] = {&to->account.name, &to->account.country, &to->account.expand,
				       &to->account.time_zone, &to->token.label};

	*to = *from;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		texts[i]->ptr = arena_copy(arena, *texts[i]);
		if (!texts[i]->ptr)
			return false;
	}
	return true;
}

static bool access_is_valid(const struct access *access, int64_t now)
{
	return access->token.expires_at == TIME_NONE || now < access->token.expires_at;
}

bool access_cache_find(struct access_cache *cache, struct access_read *lookup)
{
	struct kept *kept;
	pthread_mutex_t *lock;
	bool found;

	if (!cache)
		return false;
	/* Before the caller reads: a change from now on makes what it reads old. */
	lookup->changes = atomic_load(&cache->store->access_changes);
	kept = &cache->places[place_number(lookup)];
	lock = &cache->locks[place_number(lookup) % LOCKS];
	pthread_mutex_lock(lock);
	found = kept->used && kept->changes == lookup->changes &&
		memcmp(kept->access.token.hash, lookup->hash, TOKEN_HASH_BYTES) == 0 &&
		slice_eq(kept->access.account.name, lookup->account) &&
		slice_eq(kept->username, lookup->username) &&
		access_is_valid(&kept->access, clock_now(cache->store->config.clock)) &&
		access_copy(lookup->read.arena, &kept->access, &lookup->access);
	pthread_mutex_unlock(lock);
	lookup->remembered = found;
	return found;
}

void access_cache_keep(struct access_cache *cache, const struct access_read *lookup)
{
	const struct access *access = &lookup->access;
	struct kept *kept;
	pthread_mutex_t *lock;

	if (!cache || lookup->remembered || !access->token_known || access->staff_id == ID_NONE)
		return;
	kept = &cache->places[place_number(lookup)];
	lock = &cache->locks[place_number(lookup) % LOCKS];
	pthread_mutex_lock(lock);
	arena_release(&kept->arena);
	kept->changes = lookup->changes;
	kept->username.len = lookup->username.len;
	kept->username.ptr = arena_copy(&kept->arena, lookup->username);
	kept->used = kept->username.ptr && access_copy(&kept->arena, access, &kept->access);
	pthread_mutex_unlock(lock);
}
