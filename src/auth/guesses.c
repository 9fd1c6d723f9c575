/* SPDX-License-Identifier: MIT */
/* Two tables of a fixed size, each in sets of a few rows: a key has its place in one set alone, and
 * there the row that was used longest ago makes room. Keys are made with a secret, so that nobody
 * can choose names or addresses that fall into one set. */
#include "auth/guesses.h"

#include <pthread.h>
#include <sodium.h>

#define SETS ((size_t)1024)
#define TOKEN_SETS ((size_t)16384)
#define ROWS ((size_t)8) /* of a set */

/* The refusals of a source, at one account or at all. */
struct count_row {
	uint64_t key;
	int64_t since_ms; /* the first of them; older than the window: the row is free */
	unsigned refused; /* 0: the row is free */
};

/* A token that was good at an account. */
struct token_row {
	unsigned char hash[TOKEN_HASH_BYTES];
	uint64_t account;
	int64_t used_ms;
	bool used;
};

struct guesses {
	pthread_mutex_t lock;
	unsigned char secret[crypto_shorthash_KEYBYTES];
	struct count_row counts[SETS][ROWS];
	struct token_row tokens[TOKEN_SETS][ROWS];
};

struct guesses *guesses_new(void)
{
	struct guesses *guesses = calloc(1, sizeof(*guesses));

	if (!guesses)
		return NULL;
	pthread_mutex_init(&guesses->lock, NULL);
	crypto_shorthash_keygen(guesses->secret);
	return guesses;
}

void guesses_free(struct guesses *guesses)
{
	if (!guesses)
		return;
	pthread_mutex_destroy(&guesses->lock);
	sodium_memzero(guesses->secret, sizeof(guesses->secret));
	free(guesses);
}

static uint64_t hash(const struct guesses *guesses, const void *bytes, size_t len)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t key;

	crypto_shorthash(out, bytes, len, guesses->secret);
	memcpy(&key, out, sizeof(key));
	return key;
}

static uint64_t account_key(const struct guesses *guesses, const struct guess *guess)
{
	return hash(guesses, guess->account.len ? guess->account.ptr : "", guess->account.len);
}

/* The two rows that an attempt counts in: of its source at the account, and of its source. */
struct keys {
	uint64_t of[2];
};

static const unsigned limits[2] = {GUESSES_MAX, GUESSES_SOURCE_MAX};

static struct keys count_keys(const struct guesses *guesses, const struct guess *guess)
{
	struct {
		struct ip network;
		uint64_t account;
	} both = {ip_network(&guess->source), account_key(guesses, guess)};

	return (struct keys){{hash(guesses, &both, sizeof(both)),
			      hash(guesses, &both.network, sizeof(both.network))}};
}

static bool is_over(const struct count_row *row, int64_t now_ms)
{
	return row->refused == 0 || now_ms - row->since_ms >= GUESSES_WINDOW_MS;
}

/* NULL where nothing is counted for it. */
static struct count_row *find_count(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
	struct count_row *rows = guesses->counts[key % SETS];

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].key == key && !is_over(&rows[i], now_ms))
			return &rows[i];
	return NULL;
}

static struct count_row *new_count(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
	struct count_row *rows = guesses->counts[key % SETS], *oldest = rows;

	for (size_t i = 0; i < ROWS && !is_over(oldest, now_ms); i++)
		if (is_over(&rows[i], now_ms) || rows[i].since_ms < oldest->since_ms)
			oldest = &rows[i];
	*oldest = (struct count_row){.key = key, .since_ms = now_ms};
	return oldest;
}

static struct token_row *token_set(struct guesses *guesses, const struct guess *guess)
{
	uint64_t place;

	memcpy(&place, guess->token_hash, sizeof(place));
	return guesses->tokens[place % TOKEN_SETS];
}

static struct token_row *find_token(struct guesses *guesses, const struct guess *guess,
				    uint64_t account)
{
	struct token_row *rows = token_set(guesses, guess);

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].used && rows[i].account == account &&
		    memcmp(rows[i].hash, guess->token_hash, TOKEN_HASH_BYTES) == 0)
			return &rows[i];
	return NULL;
}

unsigned guesses_wait(struct guesses *guesses, struct guess *guess)
{
	uint64_t account = account_key(guesses, guess);
	struct token_row *token;
	int64_t wait_ms = 0;

	pthread_mutex_lock(&guesses->lock);
	token = find_token(guesses, guess, account);
	guess->known = token != NULL;
	if (token) {
		token->used_ms = guess->now_ms;
	} else {
		struct keys keys = count_keys(guesses, guess);

		for (size_t i = 0; i < 2; i++) {
			const struct count_row *row =
				find_count(guesses, keys.of[i], guess->now_ms);
			int64_t left = row ? row->since_ms + GUESSES_WINDOW_MS - guess->now_ms : 0;

			if (row && row->refused >= limits[i] && left > wait_ms)
				wait_ms = left;
		}
	}
	pthread_mutex_unlock(&guesses->lock);
	return (unsigned)((wait_ms + 999) / 1000);
}

void guesses_refused(struct guesses *guesses, const struct guess *guess)
{
	struct keys keys = count_keys(guesses, guess);

	pthread_mutex_lock(&guesses->lock);
	for (size_t i = 0; i < 2; i++) {
		struct count_row *row = find_count(guesses, keys.of[i], guess->now_ms);

		if (!row)
			row = new_count(guesses, keys.of[i], guess->now_ms);
		row->refused++;
	}
	pthread_mutex_unlock(&guesses->lock);
}

static void set_token(struct token_row *row, const struct guess *guess, uint64_t account)
{
	memcpy(row->hash, guess->token_hash, TOKEN_HASH_BYTES);
	row->account = account;
	row->used_ms = guess->now_ms;
	row->used = true;
}

void guesses_passed(struct guesses *guesses, const struct guess *guess)
{
	uint64_t account = account_key(guesses, guess);
	struct token_row *oldest;

	if (guess->known)
		return;
	pthread_mutex_lock(&guesses->lock);
	oldest = find_token(guesses, guess, account);
	if (!oldest) {
		struct token_row *rows = token_set(guesses, guess);

		oldest = rows;
		for (size_t i = 1; i < ROWS && oldest->used; i++)
			if (!rows[i].used || rows[i].used_ms < oldest->used_ms)
				oldest = &rows[i];
	}
	if (!oldest->used || oldest->used_ms <= guess->now_ms)
		set_token(oldest, guess, account);
	pthread_mutex_unlock(&guesses->lock);
}
