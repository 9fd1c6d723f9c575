/* SPDX-License-Identifier: MIT */
/* What access control found lately, in a table. The hash of the token and the user name give the
 * place of an entry. A newer entry replaces an older one in the same place. */
#include "accounts/access_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "store/state.h"
#include "token_use.h"

#define PLACES 4096
#define LOCKS 64
#define TEXTS 7

struct kept {
	char *texts;           /* those of the slices below; NULL: nothing is kept here */
	uint64_t changes;      /* store->access_changes before it was read */
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
		free(cache->places[i].texts);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	free(cache);
}

/* Several staff members may use the same token. */
static size_t place_number(const struct access_read *lookup)
{
	uint32_t number;

	memcpy(&number, lookup->hash, sizeof(number));
	for (size_t i = 0; i < lookup->username.len; i++)
		number = number * 31 + (unsigned char)lookup->username.ptr[i];
	return number % PLACES;
}

/* The texts of an entry. */
static void list_texts(struct access *access, struct slice *username, struct slice *texts[TEXTS])
{
	texts[0] = &access->account.name;
	texts[1] = &access->account.country;
	texts[2] = &access->account.expand;
	texts[3] = &access->account.time_zone;
	texts[4] = &access->token.label;
	texts[5] = &access->token.addresses;
	texts[6] = username;
}

static size_t texts_bytes(struct slice *const texts[TEXTS])
{
	size_t bytes = 0;

	for (size_t i = 0; i < TEXTS; i++)
		bytes += texts[i]->len + 1;
	return bytes;
}

/* Moves the texts to `to`, each with a NUL at its end. */
static void move_texts(struct slice *const texts[TEXTS], char *to)
{
	for (size_t i = 0; i < TEXTS; i++) {
		if (texts[i]->len)
			memcpy(to, texts[i]->ptr, texts[i]->len);
		to[texts[i]->len] = '\0';
		texts[i]->ptr = to;
		to += texts[i]->len + 1;
	}
}

static bool kept_is_for(const struct kept *kept, const struct access_read *lookup, int64_t now)
{
	const struct token *token = &kept->access.token;

	return kept->texts && kept->changes == lookup->changes &&
	       memcmp(token->hash, lookup->hash, TOKEN_HASH_BYTES) == 0 &&
	       slice_eq(kept->access.account.name, lookup->account) &&
	       slice_eq(kept->username, lookup->username) &&
	       (token->expires_at == TIME_NONE || now < token->expires_at);
}

/* Copies the entry into the arena of the read. False: memory has run out. */
static bool kept_copy(const struct kept *kept, struct access_read *lookup)
{
	struct access access = kept->access;
	struct slice username = kept->username, *texts[TEXTS];
	char *block;

	list_texts(&access, &username, texts);
	block = arena_alloc(lookup->read.arena, texts_bytes(texts));
	if (!block)
		return false;
	move_texts(texts, block);
	lookup->access = access;
	return true;
}

bool access_cache_find(struct access_cache *cache, struct access_read *lookup)
{
	struct kept *kept;
	pthread_mutex_t *lock;
	size_t number;
	int64_t now;

	if (!cache)
		return false;
	/* Before the caller reads: a change from now on makes what it reads old. */
	lookup->changes = atomic_load(&cache->store->access_changes);
	number = place_number(lookup);
	kept = &cache->places[number];
	lock = &cache->locks[number % LOCKS];
	now = clock_now(cache->store->config.clock);
	pthread_mutex_lock(lock);
	lookup->remembered = kept_is_for(kept, lookup, now) && kept_copy(kept, lookup);
	/* The caller stores the use, which does not end the entry. */
	if (lookup->remembered && token_use_is_due(&kept->access.token, now))
		kept->access.token.last_used_at = now;
	pthread_mutex_unlock(lock);
	return lookup->remembered;
}

/* While a commit is under way that may change access, nobody knows whether a read saw it. */
static bool is_in_doubt(const struct access_read *lookup)
{
	return lookup->changes % 2 != 0;
}

void access_cache_keep(struct access_cache *cache, const struct access_read *lookup)
{
	struct kept entry = {.access = lookup->access,
			     .username = lookup->username,
			     .changes = lookup->changes},
		    *kept;
	struct slice *texts[TEXTS];
	pthread_mutex_t *lock;
	size_t number;

	if (!cache || lookup->remembered || is_in_doubt(lookup) || !entry.access.token_known ||
	    entry.access.staff_id == ID_NONE || entry.access.level == STAFF_DISABLED)
		return;
	list_texts(&entry.access, &entry.username, texts);
	entry.texts = malloc(texts_bytes(texts));
	if (!entry.texts)
		return;
	move_texts(texts, entry.texts);
	number = place_number(lookup);
	kept = &cache->places[number];
	lock = &cache->locks[number % LOCKS];
	pthread_mutex_lock(lock);
	free(kept->texts);
	*kept = entry;
	pthread_mutex_unlock(lock);
}
