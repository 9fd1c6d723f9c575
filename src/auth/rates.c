/* SPDX-License-Identifier: MIT */
/* The buckets of tokens and accounts. A bucket is stored as the time at which it will be full: each
 * request moves that time on by the time in which one request flows in. */
#include "auth/rates.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_US ((int64_t)RATE_WINDOW_S * 1000000)
#define ROWS_LEAST 64

struct bucket {
	uint64_t key; /* 0: the row is free */
	int64_t full_us;
};

/* A hash table with open addressing; at least one row is free. */
struct table {
	uint32_t limit;
	size_t size, used; /* size: 0, or a power of two */
	struct bucket *rows;
};

struct rates {
	pthread_mutex_t lock;
	uint64_t refused;
	struct table tables[RATE_KINDS];
};

struct rates *rates_new(uint32_t per_token, uint32_t per_account)
{
	struct rates *rates = calloc(1, sizeof(*rates));

	if (!rates)
		return NULL;
	pthread_mutex_init(&rates->lock, NULL);
	rates->tables[RATE_TOKEN].limit = per_token;
	rates->tables[RATE_ACCOUNT].limit = per_account;
	return rates;
}

void rates_free(struct rates *rates)
{
	if (!rates)
		return;
	for (size_t kind = 0; kind < RATE_KINDS; kind++)
		free(rates->tables[kind].rows);
	pthread_mutex_destroy(&rates->lock);
	free(rates);
}

/* The row of the key, or the free row for it. */
static struct bucket *bucket_at(const struct table *table, uint64_t key)
{
	uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(mixed >> 32);

	while (table->rows[at & (table->size - 1)].key &&
	       table->rows[at & (table->size - 1)].key != key)
		at++;
	return &table->rows[at & (table->size - 1)];
}

/* Makes room for more keys. Drops the buckets that are full. False: memory has run out. */
static bool table_renew(struct table *table, int64_t now_us)
{
	struct table renewed = {.limit = table->limit, .size = ROWS_LEAST};
	size_t kept = 0;

	for (size_t i = 0; i < table->size; i++)
		kept += table->rows[i].key && table->rows[i].full_us > now_us;
	while (renewed.size < 4 * kept)
		renewed.size *= 2;
	renewed.rows = calloc(renewed.size, sizeof(*renewed.rows));
	if (!renewed.rows)
		return false;
	for (size_t i = 0; i < table->size; i++)
		if (table->rows[i].key && table->rows[i].full_us > now_us)
			*bucket_at(&renewed, table->rows[i].key) = table->rows[i];
	renewed.used = kept;
	free(table->rows);
	*table = renewed;
	return true;
}

/* NULL: there is no room for a new bucket. */
static struct bucket *bucket_need(struct table *table, uint64_t key, int64_t now_us)
{
	struct bucket *bucket = table->size ? bucket_at(table, key) : NULL;

	if (bucket && bucket->key)
		return bucket;
	if (2 * (table->used + 1) > table->size && table_renew(table, now_us))
		bucket = bucket_at(table, key);
	if (!bucket || table->used + 1 >= table->size)
		return NULL;
	*bucket = (struct bucket){key, now_us};
	table->used++;
	return bucket;
}

/* The time in which one request flows in. */
static int64_t interval_us(const struct table *table)
{
	return WINDOW_US / table->limit;
}

/* When the bucket will be full. */
static int64_t bucket_full_us(const struct bucket *bucket, int64_t now_us)
{
	return bucket && bucket->full_us > now_us ? bucket->full_us : now_us;
}

static unsigned bucket_wait(const struct table *table, const struct bucket *bucket, int64_t now_us)
{
	int64_t late_us = bucket_full_us(bucket, now_us) + interval_us(table) - WINDOW_US - now_us;

	return late_us > 0 ? (unsigned)((late_us + 999999) / 1000000) : 0;
}

static void bucket_tell(const struct table *table, const struct bucket *bucket, int64_t now_us,
			struct rate_use *use, enum rate_kind kind)
{
	int64_t missing_us = bucket_full_us(bucket, now_us) - now_us;

	use->of[kind].limit = table->limit;
	use->of[kind].left = (uint32_t)((WINDOW_US - missing_us) / interval_us(table));
	if (use->of[kind].left > table->limit)
		use->of[kind].left = table->limit;
	use->of[kind].reset = (uint32_t)((missing_us + 999999) / 1000000);
}

unsigned rates_take(struct rates *rates, const unsigned char token_hash[TOKEN_HASH_BYTES],
		    int64_t account_id, int64_t now_us, struct rate_use *use_out)
{
	struct bucket *buckets[RATE_KINDS] = {NULL};
	uint64_t keys[RATE_KINDS] = {[RATE_ACCOUNT] = (uint64_t)account_id};
	struct rate_use use = {0};
	unsigned wait;

	memcpy(&keys[RATE_TOKEN], token_hash, sizeof(keys[RATE_TOKEN]));
	keys[RATE_TOKEN] |= 1; /* not 0 */
	pthread_mutex_lock(&rates->lock);
	for (enum rate_kind kind = 0; kind < RATE_KINDS; kind++) {
		struct table *table = &rates->tables[kind];

		if (!table->limit)
			continue;
		buckets[kind] = bucket_need(table, keys[kind], now_us);
		wait = bucket_wait(table, buckets[kind], now_us);
		if (wait > use.wait) {
			use.wait = wait;
			use.full = kind;
		}
	}
	for (enum rate_kind kind = 0; kind < RATE_KINDS; kind++) {
		struct table *table = &rates->tables[kind];

		if (!table->limit)
			continue;
		if (!use.wait && buckets[kind])
			buckets[kind]->full_us =
				bucket_full_us(buckets[kind], now_us) + interval_us(table);
		bucket_tell(table, buckets[kind], now_us, &use, kind);
	}
	rates->refused += use.wait > 0;
	pthread_mutex_unlock(&rates->lock);
	*use_out = use;
	return use.wait;
}

static const char *const names[RATE_KINDS] = {
	[RATE_TOKEN] = "token",
	[RATE_ACCOUNT] = "account",
};

const char *rates_policy(const struct rate_use *use, struct arena *arena)
{
	const char *text = "";

	for (size_t kind = 0; kind < RATE_KINDS && text; kind++)
		if (use->of[kind].limit)
			text = arena_printf(arena, "%s%s\"%s\";q=%u;w=%d", text, *text ? ", " : "",
					    names[kind], use->of[kind].limit, RATE_WINDOW_S);
	return text;
}

const char *rates_left(const struct rate_use *use, struct arena *arena)
{
	const char *text = "";

	for (size_t kind = 0; kind < RATE_KINDS && text; kind++)
		if (use->of[kind].limit)
			text = arena_printf(arena, "%s%s\"%s\";r=%u;t=%u", text, *text ? ", " : "",
					    names[kind], use->of[kind].left, use->of[kind].reset);
	return text;
}

uint64_t rates_refused(struct rates *rates)
{
	uint64_t refused = 0;

	if (!rates)
		return 0;
	pthread_mutex_lock(&rates->lock);
	refused = rates->refused;
	pthread_mutex_unlock(&rates->lock);
	return refused;
}
