/* SPDX-License-Identifier: MIT */
/* Reads the tokens that expire soon, and stores which notices are claimed. */
#include "accounts/token_notice.h"

#include "base/timefmt.h"
#include "sql/values.h"
#include "base/array.h"
#include "store/state.h"

bool token_expires_soon(const struct token *token, int64_t now)
{
	return token->expires_at != TIME_NONE && now < token->expires_at &&
	       token->expires_at - now <= TOKEN_SOON_S;
}

struct found_tokens {
	struct arena *arena;
	struct ending_token *tokens;
	size_t count;
};

static enum err ending_row(void *context, const struct db_value *values, size_t count)
{
	struct found_tokens *found = context;
	struct ending_token *token = &found->tokens[found->count];
	const char *account = arena_copy(found->arena, values[1].bytes);
	const char *label = arena_copy(found->arena, values[3].bytes);

	if (count != 6 || values[2].bytes.len != TOKEN_HASH_BYTES || found->count == ENDING_TOKENS)
		return ERR_INTERNAL;
	if (!account || !label)
		return ERR_NOMEM;
	*token = (struct ending_token){
		.account_id = values[0].integer,
		.account = slice_of(account),
		.label = slice_of(label),
		.expires_at = values[4].integer,
		.notice_at = time_of_value(&values[5]),
	};
	memcpy(token->hash, values[2].bytes.ptr, TOKEN_HASH_BYTES);
	found->count++;
	return OK;
}

/* An account whose name begins with a hyphen is being removed. */
enum err store_ending_tokens(struct store *store, struct arena *arena, int64_t now, int64_t since,
			     size_t skip, struct ending_token tokens_out[ENDING_TOKENS],
			     size_t *count_out)
{
	const struct db_value args[] = {DB_INT_VALUE(now),
					DB_INT_VALUE(now + TOKEN_SOON_S),
					DB_INT_VALUE(since + TOKEN_SOON_S),
					DB_INT_VALUE(TOKEN_SOON_S),
					DB_INT_VALUE(ENDING_TOKENS),
					DB_INT_VALUE((int64_t)skip)};
	struct found_tokens found = {arena, tokens_out, 0};
	const struct db_call call = {
		"SELECT t.account_id, a.name, t.hash, t.label, t.expires_at, t.notice_at"
		" FROM token t JOIN account a ON a.id = t.account_id"
		" WHERE t.expires_at > $3 AND t.expires_at <= $2"
		" AND t.expires_at - t.created_at > $4"
		" AND (t.notice_at IS NULL OR t.notice_at <= $1) AND a.name NOT LIKE '-%'"
		" ORDER BY t.expires_at, t.account_id, t.label LIMIT $5 OFFSET $6",
		args, COUNT_OF(args), ending_row, &found};
	enum err err = store_read_now(store, &call, 1);

	if (!err)
		*count_out = found.count;
	return err;
}

struct notice_write {
	struct store_write write;
	const struct ending_token *token;
	int64_t until;
	bool found; /* the notice is as the caller has read it */
};

static enum err notice_read(struct store_write *write, struct calls *calls)
{
	struct notice_write *notice = (struct notice_write *)(void *)write;
	const struct ending_token *token = notice->token;

	notice->found = false;
	return calls_ask(
		calls,
		"SELECT 1 FROM token WHERE account_id = $1 AND hash = $2"
		" AND coalesce(notice_at, 0) = $3",
		any_row, &notice->found, DB_INT_VALUE(write->scope.account_id),
		DB_BYTES_VALUE(((struct slice){(const char *)token->hash, TOKEN_HASH_BYTES})),
		DB_INT_VALUE(token->notice_at == TIME_NONE ? 0 : token->notice_at));
}

static enum err notice_decide(struct store_write *write, struct calls *calls)
{
	struct notice_write *notice = (struct notice_write *)(void *)write;
	const struct ending_token *token = notice->token;

	if (!notice->found)
		return OK;
	return calls_ask(
		calls, "UPDATE token SET notice_at = $3 WHERE account_id = $1 AND hash = $2", NULL,
		NULL, DB_INT_VALUE(write->scope.account_id),
		DB_BYTES_VALUE(((struct slice){(const char *)token->hash, TOKEN_HASH_BYTES})),
		DB_INT_VALUE(notice->until));
}

enum err token_notice_claim(struct store *store, struct ending_token *token, int64_t until,
			    bool *claimed_out)
{
	static const struct write_steps steps = {
		.read = notice_read, .decide = notice_decide, .keeps_access = true};
	struct arena arena = {0};
	struct faults faults;
	struct notice_write notice = {
		.write = {.steps = &steps,
			  .scope = {.account_id = token->account_id},
			  .arena = &arena,
			  .faults = &faults},
		.token = token,
		.until = until,
	};
	enum err err;

	faults_init(&faults, &arena);
	err = store_write(store, &notice.write);
	if (!err) {
		*claimed_out = notice.found;
		token->notice_at = until;
	}
	arena_release(&arena);
	return err;
}

struct address_listing {
	store_record_fn *on_address;
	void *context;
};

static enum err account_address_row(void *context, const struct db_value *values, size_t count)
{
	const struct address_listing *listing = context;

	(void)count;
	return listing->on_address(listing->context, &values[0].bytes);
}

enum err store_account_addresses(struct store *store, int64_t account_id,
				 store_record_fn *on_address, void *context)
{
	const struct db_value args[] = {DB_INT_VALUE(account_id), DB_INT_VALUE(STAFF_FULL)};
	struct address_listing listing = {on_address, context};
	const struct db_call call = {"SELECT DISTINCT email FROM staff WHERE account_id = $1"
				     " AND access_level = $2 AND email <> '' ORDER BY 1",
				     args, COUNT_OF(args), account_address_row, &listing};

	return store_read_now(store, &call, 1);
}
