/* SPDX-License-Identifier: MIT */
/* Adds, lists and revokes API tokens, and stores when each was last used. */
#include <pthread.h>

#include "base/timefmt.h"
#include "sql/values.h"
#include "accounts/accounts.h"
#include "token_insert.h"
#include "token_use.h"

void token_init(struct token *token, const char *label, const unsigned char *hash)
{
	*token = (struct token){
		.label = slice_of(label),
		.scopes = TOKEN_SCOPES_WRITE_ALL,
		.addresses = SLICE(""),
		.expires_at = TIME_NONE,
		.last_used_at = TIME_NONE,
	};
	memcpy(token->hash, hash, TOKEN_HASH_BYTES);
}

enum err token_insert(struct store_write *write, const struct token *token, struct calls *calls)
{
	return calls_ask(
		calls,
		"INSERT INTO token (account_id, hash, label, created_at, expires_at,"
		" scopes, lenient, addresses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		NULL, NULL, DB_INT_VALUE(write->scope.account_id),
		DB_BYTES_VALUE(((struct slice){(const char *)token->hash, TOKEN_HASH_BYTES})),
		DB_TEXT_VALUE(token->label), DB_INT_VALUE(write->now),
		value_of_time(token->expires_at), DB_INT_VALUE(token->scopes),
		DB_INT_VALUE(token->lenient), DB_TEXT_VALUE(token->addresses));
}

static struct token_write *token_of(struct store_write *write)
{
	return (struct token_write *)(void *)write;
}

static enum err token_read(struct store_write *write, struct calls *calls)
{
	struct token_write *token = token_of(write);

	token->found = false;
	return calls_ask(calls, "SELECT label FROM token WHERE account_id = $1 AND label = $2",
			 any_row, &token->found, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(token->token->label));
}

static enum err token_add_decide(struct store_write *write, struct calls *calls)
{
	struct token_write *token = token_of(write);

	return token->found ? OK : token_insert(write, token->token, calls);
}

static enum err token_revoke_decide(struct store_write *write, struct calls *calls)
{
	return calls_ask(calls, "DELETE FROM token WHERE account_id = $1 AND label = $2", NULL,
			 NULL, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(token_of(write)->token->label));
}

void token_add_init(struct token_write *add)
{
	static const struct write_steps steps = {.read = token_read, .decide = token_add_decide};

	*add = (struct token_write){.write = {.steps = &steps}, .adds = true};
}

void token_revoke_init(struct token_write *revoke)
{
	static const struct write_steps steps = {.read = token_read, .decide = token_revoke_decide};

	*revoke = (struct token_write){.write = {.steps = &steps}};
}

struct listing {
	store_record_fn *on_token;
	void *context;
};

static enum err token_listing_row(void *context, const struct db_value *values, size_t count)
{
	const struct listing *listing = context;
	struct token token = {
		.label = values[0].bytes,
		.created_at = values[1].integer,
		.expires_at = time_of_value(&values[2]),
		.scopes = (token_scopes)values[3].integer,
		.lenient = values[4].integer != 0,
		.last_used_at = time_of_value(&values[5]),
		.addresses = values[7].bytes,
	};

	if (count != 8 || values[6].bytes.len != TOKEN_HASH_BYTES)
		return ERR_INTERNAL;
	memcpy(token.hash, values[6].bytes.ptr, TOKEN_HASH_BYTES);
	return listing->on_token(listing->context, &token);
}

enum err store_tokens(struct store *store, const struct scope *scope, store_record_fn *on_token,
		      void *context)
{
	const struct db_value args[] = {DB_INT_VALUE(scope->account_id)};
	struct listing listing = {on_token, context};
	const struct db_call call = {
		"SELECT label, created_at, expires_at, scopes, lenient,"
		" last_used_at, hash, addresses FROM token WHERE account_id = $1"
		" ORDER BY created_at, label",
		args, 1, token_listing_row, &listing};

	return store_read_now(store, &call, 1);
}

/* The write of one use of a token. */
struct use {
	struct store_write write;
	struct arena arena;
	struct faults faults;
	unsigned char hash[TOKEN_HASH_BYTES];
};

static enum err use_decide(struct store_write *write, struct calls *calls)
{
	struct use *use = (struct use *)(void *)write;

	return calls_ask(
		calls, "UPDATE token SET last_used_at = $3 WHERE account_id = $1 AND hash = $2",
		NULL, NULL, DB_INT_VALUE(write->scope.account_id),
		DB_BYTES_VALUE(((struct slice){(const char *)use->hash, TOKEN_HASH_BYTES})),
		DB_INT_VALUE(write->now));
}

static void use_done(void *context)
{
	struct use *use = context;

	arena_release(&use->arena);
	free(use);
}

/* A use is stored if the stored time is at least a minute old. Only the first request in a minute
 * stores it: the others find the minute in the token's slot. Two tokens that share a slot cause a
 * few more writes. */
void store_token_used(struct store *store, const struct access *access)
{
	static const struct write_steps steps = {
		.read = read_nothing, .decide = use_decide, .keeps_access = true};
	int64_t now = clock_now(store->config.clock);
	uint64_t slot, minute = (uint64_t)(now / USE_SECONDS);
	struct use *use;

	if (!token_use_is_due(&access->token, now))
		return;
	memcpy(&slot, access->token.hash, sizeof(slot));
	if (atomic_exchange(&store->uses[slot % TOKEN_USES], slot ^ minute) == (slot ^ minute))
		return;
	use = calloc(1, sizeof(*use));
	if (!use)
		return;
	memcpy(use->hash, access->token.hash, sizeof(use->hash));
	faults_init(&use->faults, &use->arena);
	use->write = (struct store_write){
		.scope = {.account_id = access->account.id},
		.arena = &use->arena,
		.faults = &use->faults,
		.done = use_done,
		.context = use,
		.steps = &steps,
	};
	if (store_submit(store, &use->write))
		use_done(use);
}
