/* SPDX-License-Identifier: MIT */
/* The cache of records: a hash table of places, in shards with a lock each. When a shard is full, a
 * record that was not found since it was kept, or since its last turn, goes first (a second chance
 * for each, as with CLOCK). */
#include "cache/record_cache.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#define SHARDS 64
#define PLACE_BYTES 512 /* of the limit, for each place */
#define LARGEST 8       /* a record takes at most this part of its shard */
#define CHANCES 16      /* how many second chances may be given to make room once */

struct kept {
	struct cached_record record; /* must be first */
	struct record_key key;
	uint64_t mark;         /* of its place, when it was kept */
	_Atomic unsigned uses; /* the cache's own, and those of readers */
	bool found;            /* since its last turn */
	struct kept *next;     /* of the same place */
	TAILQ_ENTRY(kept) turn;
	char bytes[]; /* the JSON */
};

TAILQ_HEAD(kept_list, kept);

struct place {
	_Atomic uint64_t mark;
	struct kept *first;
};

struct shard {
	pthread_mutex_t lock;
	struct kept_list turns; /* the next to go comes first */
	size_t bytes, records;
	uint64_t hits, misses;
};

struct record_cache {
	size_t limit;
	size_t shard_limit;     /* bytes of the records of a shard */
	_Atomic uint64_t ended; /* the last batch that has ended */
	uint64_t under_way;     /* the writer's own: the batch that it commits */
	struct shard shards[SHARDS];
	size_t place_count; /* a power of two, at least SHARDS */
	struct place places[];
};

struct record_cache *record_cache_new(size_t limit)
{
	struct record_cache *cache;
	size_t places = SHARDS, own;

	while (places * 2 <= limit / PLACE_BYTES)
		places *= 2;
	own = sizeof(*cache) + places * sizeof(cache->places[0]);
	cache = calloc(1, own);
	if (!cache)
		return NULL;
	cache->limit = limit;
	cache->shard_limit = limit > own ? (limit - own) / SHARDS : 0;
	cache->place_count = places;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&cache->shards[i].lock, NULL);
		TAILQ_INIT(&cache->shards[i].turns);
	}
	return cache;
}

static void kept_unuse(struct kept *kept)
{
	if (atomic_fetch_sub(&kept->uses, 1) == 1)
		free(kept);
}

void cached_record_drop(struct cached_record *record)
{
	kept_unuse((struct kept *)(void *)record);
}

void record_cache_free(struct record_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		struct kept *kept;

		while ((kept = TAILQ_FIRST(&shard->turns))) {
			TAILQ_REMOVE(&shard->turns, kept, turn);
			kept_unuse(kept);
		}
		pthread_mutex_destroy(&shard->lock);
	}
	free(cache);
}

uint64_t record_cache_seen(const struct record_cache *cache)
{
	return cache ? atomic_load(&cache->ended) : 0;
}

/* Mixes the bits as the generator SplitMix64 does, so that ids in a row have places all over the
 * table. */
static size_t place_number(const struct record_cache *cache, const struct record_key *key)
{
	uint64_t x = (uint64_t)key->id + (uint64_t)key->account_id * UINT64_C(0x9e3779b97f4a7c15) +
		     ((uint64_t)key->kind << 56);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) & (cache->place_count - 1);
}

static bool key_eq(const struct record_key *a, const struct record_key *b)
{
	return a->account_id == b->account_id && a->id == b->id && a->kind == b->kind;
}

/* What is kept of the record, in whatever version. */
static struct kept *place_find(const struct place *place, const struct record_key *key)
{
	struct kept *kept = place->first;

	while (kept && !key_eq(&kept->key, key))
		kept = kept->next;
	return kept;
}

/* The bytes that the allocator needs for it. */
static size_t kept_bytes(struct kept *kept)
{
	return malloc_usable_size(kept) + sizeof(size_t);
}

/* The next functions are called under the lock of the shard. */

static struct shard *shard_of(struct record_cache *cache, size_t number)
{
	return &cache->shards[number % SHARDS];
}

static void shard_remove(struct record_cache *cache, struct shard *shard, struct kept *kept)
{
	struct kept **at = &cache->places[place_number(cache, &kept->key)].first;

	while (*at != kept)
		at = &(*at)->next;
	*at = kept->next;
	TAILQ_REMOVE(&shard->turns, kept, turn);
	shard->bytes -= kept_bytes(kept);
	shard->records--;
	kept_unuse(kept);
}

static void shard_make_room(struct record_cache *cache, struct shard *shard)
{
	unsigned chances = CHANCES;

	while (shard->bytes > cache->shard_limit) {
		struct kept *kept = TAILQ_FIRST(&shard->turns);

		if (!kept->found || !chances) {
			shard_remove(cache, shard, kept);
			continue;
		}
		chances--;
		kept->found = false;
		TAILQ_REMOVE(&shard->turns, kept, turn);
		TAILQ_INSERT_TAIL(&shard->turns, kept, turn);
	}
}

static void shard_add(struct record_cache *cache, struct shard *shard, struct place *place,
		      struct kept *kept)
{
	struct kept *before = place_find(place, &kept->key);

	if (before)
		shard_remove(cache, shard, before);
	kept->next = place->first;
	place->first = kept;
	TAILQ_INSERT_TAIL(&shard->turns, kept, turn);
	shard->bytes += kept_bytes(kept);
	shard->records++;
	shard_make_room(cache, shard);
}

struct cached_record *record_cache_find(struct record_cache *cache, const struct record_key *key,
					uint64_t seen)
{
	struct shard *shard;
	struct place *place;
	struct kept *kept;
	uint64_t mark;
	size_t number;

	if (!cache)
		return NULL;
	number = place_number(cache, key);
	shard = shard_of(cache, number);
	place = &cache->places[number];
	pthread_mutex_lock(&shard->lock);
	mark = atomic_load(&place->mark);
	kept = place_find(place, key);
	if (kept && kept->mark != mark) {
		shard_remove(cache, shard, kept);
		kept = NULL;
	}
	if (mark > seen)
		kept = NULL;
	if (kept) {
		kept->found = true;
		atomic_fetch_add(&kept->uses, 1);
		shard->hits++;
	} else {
		shard->misses++;
	}
	pthread_mutex_unlock(&shard->lock);
	return kept ? &kept->record : NULL;
}

void record_cache_keep(struct record_cache *cache, const struct record_key *key, uint64_t seen,
		       int64_t change, struct slice json)
{
	struct shard *shard;
	struct kept *kept;
	uint64_t mark;
	size_t number;

	if (!cache || json.len > cache->shard_limit / LARGEST)
		return;
	number = place_number(cache, key);
	mark = atomic_load(&cache->places[number].mark);
	/* The record may have changed since the snapshot began. */
	if (mark > seen)
		return;
	kept = malloc(sizeof(*kept) + json.len);
	if (!kept)
		return;
	*kept = (struct kept){
		.record = {{kept->bytes, json.len}, key->id, change},
		.key = *key,
		.mark = mark,
		.uses = 1,
	};
	memcpy(kept->bytes, json.ptr, json.len);
	shard = shard_of(cache, number);
	pthread_mutex_lock(&shard->lock);
	shard_add(cache, shard, &cache->places[number], kept);
	pthread_mutex_unlock(&shard->lock);
}

static void mark_every_place(struct record_cache *cache)
{
	for (size_t i = 0; i < cache->place_count; i++)
		atomic_store(&cache->places[i].mark, cache->under_way);
}

void record_cache_begin_commit(struct record_cache *cache, const struct record_key *keys,
			       size_t count)
{
	if (!cache)
		return;
	cache->under_way = atomic_load(&cache->ended) + 1;
	for (size_t i = 0; i < count; i++) {
		if (keys[i].id == ID_NONE)
			mark_every_place(cache);
		else
			atomic_store(&cache->places[place_number(cache, &keys[i])].mark,
				     cache->under_way);
	}
}

void record_cache_end_commit(struct record_cache *cache)
{
	if (cache)
		atomic_store(&cache->ended, cache->under_way);
}

void record_cache_count(struct record_cache *cache, struct record_cache_load *load_out)
{
	*load_out = (struct record_cache_load){0};
	if (!cache)
		return;
	load_out->limit = cache->limit;
	load_out->bytes = sizeof(*cache) + cache->place_count * sizeof(cache->places[0]);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		load_out->bytes += shard->bytes;
		load_out->records += shard->records;
		load_out->hits += shard->hits;
		load_out->misses += shard->misses;
		pthread_mutex_unlock(&shard->lock);
	}
}
