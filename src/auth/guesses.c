/* SPDX-License-Identifier: MIT */
/* Two tables of a fixed size. Each consists of sets of a few rows. A key can be in only one set; if
 * that is full, the oldest row is replaced. Names and addresses are hashed with a secret, so that
 * nobody can choose many that fall into one set. */
#include "accounts/accounts.h"
#include "auth/guesses.h"

#include <pthread.h>
#include <sodium.h>

#define SETS ((size_t)1024)
#define TOKEN_SETS ((size_t)16384)
#define ROWS ((size_t)8) /* of a set */
#define BUCKETS ((size_t)256)

/* The refusals of a source at one account, or at all accounts. */
struct count_row {
	uint64_t key;
	int64_t since_ms; /* when the first refusal was */
	unsigned refused; /* refusals since then, within the window */
	unsigned pending; /* attempts that are being looked up */
};

/* A token that was valid at an account. */
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
	uint64_t limited; /* attempts that the limit refused */
	/* The attempts that hold a reservation. */
	struct guess *pending[BUCKETS];
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

static uint64_t keyed_hash(const struct guesses *guesses, const void *bytes, size_t len)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t key;

	crypto_shorthash(out, bytes, len, guesses->secret);
	memcpy(&key, out, sizeof(key));
	return key;
}

static uint64_t account_key(const struct guesses *guesses, const struct guess *guess)
{
	return keyed_hash(guesses, guess->account.len ? guess->account.ptr : "",
			  guess->account.len);
}

/* The keys of the two rows in which an attempt counts: that of its source at the account, and that
 * of its source at all accounts. */
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

	return (struct keys){{keyed_hash(guesses, &both, sizeof(both)),
			      keyed_hash(guesses, &both.network, sizeof(both.network))}};
}

static bool is_old(const struct count_row *row, int64_t now_ms)
{
	return now_ms - row->since_ms >= GUESSES_WINDOW_MS;
}

static bool is_free(const struct count_row *row, int64_t now_ms)
{
	return row->pending == 0 && (row->refused == 0 || is_old(row, now_ms));
}

/* The row of a key; NULL if nothing is counted for it. */
static struct count_row *find_count(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
	struct count_row *rows = guesses->counts[key % SETS];

	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].key != key || is_free(&rows[i], now_ms))
			continue;
		if (is_old(&rows[i], now_ms))
			rows[i].refused = 0;
		return &rows[i];
	}
	return NULL;
}

static struct count_row *new_count(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
	struct count_row *rows = guesses->counts[key % SETS], *oldest = rows;

	for (size_t i = 0; i < ROWS && !is_free(oldest, now_ms); i++)
		if (is_free(&rows[i], now_ms) || rows[i].since_ms < oldest->since_ms)
			oldest = &rows[i];
	*oldest = (struct count_row){.key = key, .since_ms = now_ms};
	return oldest;
}

static struct token_row *token_set(struct guesses *guesses, const struct guess *guess)
{
	uint64_t number;

	memcpy(&number, guess->token_hash, sizeof(number));
	return guesses->tokens[number % TOKEN_SETS];
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

static struct count_row *need_count(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
	struct count_row *row = find_count(guesses, key, now_ms);

	return row ? row : new_count(guesses, key, now_ms);
}

/* The attempt with the same hash that is being looked up, or the end of its bucket. */
static struct guess **find_pending(struct guesses *guesses, uint64_t attempt)
{
	struct guess **at = &guesses->pending[attempt % BUCKETS];

	while (*at && (*at)->attempt != attempt)
		at = &(*at)->next;
	return at;
}

static void attempt_reserve(struct guesses *guesses, const struct keys *keys, struct guess *guess)
{
	struct guess **bucket = &guesses->pending[guess->attempt % BUCKETS];

	for (size_t i = 0; i < 2; i++)
		need_count(guesses, keys->of[i], guess->now_ms)->pending++;
	guess->reserved = true;
	guess->next = *bucket;
	*bucket = guess;
}

/* Ends the reservation of an attempt. Its rows may have been replaced in the meantime. */
static void attempt_release(struct guesses *guesses, const struct keys *keys, struct guess *guess)
{
	if (!guess->reserved)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct count_row *row = find_count(guesses, keys->of[i], guess->now_ms);

		if (row && row->pending)
			row->pending--;
	}
	*find_pending(guesses, guess->attempt) = guess->next;
	guess->reserved = false;
}

/* The seconds until another attempt is allowed; 0: it is allowed now. `with_pending`: attempts that
 * are being looked up count as refused. Since they end soon, the wait for them is short. */
static unsigned limit_wait(struct guesses *guesses, const struct keys *keys, int64_t now_ms,
			   bool with_pending)
{
	int64_t wait_ms = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct count_row *row = find_count(guesses, keys->of[i], now_ms);
		int64_t left = 0;

		if (row && row->refused >= limits[i])
			left = row->since_ms + GUESSES_WINDOW_MS - now_ms;
		else if (row && with_pending && row->refused + row->pending >= limits[i])
			left = 1000;
		if (left > wait_ms)
			wait_ms = left;
	}
	/* now_ms may be before since_ms: a request that began earlier may end later. */
	if (wait_ms > GUESSES_WINDOW_MS)
		wait_ms = GUESSES_WINDOW_MS;
	return (unsigned)((wait_ms + 999) / 1000);
}

/* Begins an attempt with a token that is not known to be valid. Returns as guesses_begin() does. */
static unsigned attempt_begin(struct guesses *guesses, struct guess *guess)
{
	struct keys keys = count_keys(guesses, guess);
	struct {
		uint64_t source;
		unsigned char token[TOKEN_HASH_BYTES];
	} attempt = {.source = keys.of[0]};
	bool is_one_more;
	unsigned wait;

	memcpy(attempt.token, guess->token_hash, sizeof(attempt.token));
	guess->attempt = keyed_hash(guesses, &attempt, sizeof(attempt));
	is_one_more = !*find_pending(guesses, guess->attempt);
	wait = limit_wait(guesses, &keys, guess->now_ms, is_one_more);
	if (!wait && is_one_more)
		attempt_reserve(guesses, &keys, guess);
	return wait;
}

unsigned guesses_begin(struct guesses *guesses, struct guess *guess)
{
	uint64_t account = account_key(guesses, guess);
	struct token_row *token;
	unsigned wait = 0;

	pthread_mutex_lock(&guesses->lock);
	token = find_token(guesses, guess, account);
	guess->known = token != NULL;
	if (token)
		token->used_ms = guess->now_ms;
	else
		wait = attempt_begin(guesses, guess);
	guesses->limited += wait > 0;
	pthread_mutex_unlock(&guesses->lock);
	return wait;
}

unsigned guesses_refused(struct guesses *guesses, struct guess *guess)
{
	struct keys keys = count_keys(guesses, guess);
	unsigned wait;

	pthread_mutex_lock(&guesses->lock);
	attempt_release(guesses, &keys, guess);
	/* The limit does not hold for a token that was valid before. */
	wait = guess->known ? 0 : limit_wait(guesses, &keys, guess->now_ms, false);
	for (size_t i = 0; i < 2 && !wait; i++) {
		struct count_row *row = need_count(guesses, keys.of[i], guess->now_ms);

		if (row->refused++ == 0)
			row->since_ms = guess->now_ms;
	}
	guesses->limited += wait > 0;
	pthread_mutex_unlock(&guesses->lock);
	return wait;
}

uint64_t guesses_limited(struct guesses *guesses)
{
	uint64_t limited;

	pthread_mutex_lock(&guesses->lock);
	limited = guesses->limited;
	pthread_mutex_unlock(&guesses->lock);
	return limited;
}

void guesses_dropped(struct guesses *guesses, struct guess *guess)
{
	struct keys keys = count_keys(guesses, guess);

	pthread_mutex_lock(&guesses->lock);
	attempt_release(guesses, &keys, guess);
	pthread_mutex_unlock(&guesses->lock);
}

static void set_token(struct token_row *row, const struct guess *guess, uint64_t account)
{
	memcpy(row->hash, guess->token_hash, TOKEN_HASH_BYTES);
	row->account = account;
	row->used_ms = guess->now_ms;
	row->used = true;
}

void guesses_passed(struct guesses *guesses, struct guess *guess)
{
	struct token_row *oldest;
	struct keys keys;
	uint64_t account;

	if (guess->known)
		return;
	account = account_key(guesses, guess);
	keys = count_keys(guesses, guess);
	pthread_mutex_lock(&guesses->lock);
	attempt_release(guesses, &keys, guess);
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
