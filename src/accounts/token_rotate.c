/* SPDX-License-Identifier: MIT */
/* Rotates a token: the new one takes its label, and the old one ends after an overlap. */
#include "accounts/token_rotate.h"

#include "base/timefmt.h"
#include "sql/values.h"
#include "token_insert.h"

static struct token_rotate *rotate_of(struct store_write *write)
{
	return (struct token_rotate *)(void *)write;
}

static enum err rotate_row(void *context, const struct db_value *values, size_t count)
{
	struct token_rotate *rotate = context;
	const char *addresses = arena_copy(rotate->write.arena, values[5].bytes);

	if (count != 6 || values[0].bytes.len != TOKEN_HASH_BYTES)
		return ERR_INTERNAL;
	if (!addresses)
		return ERR_NOMEM;
	memcpy(rotate->old.hash, values[0].bytes.ptr, TOKEN_HASH_BYTES);
	rotate->old.created_at = values[1].integer;
	rotate->old.expires_at = time_of_value(&values[2]);
	rotate->old.scopes = (token_scopes)values[3].integer;
	rotate->old.lenient = values[4].integer != 0;
	rotate->old.addresses = slice_of(addresses);
	rotate->found = true;
	return OK;
}

/* Tokens that were rotated before: their labels begin with $2 and a time. */
#define ROTATED_BEFORE                           \
	" FROM token WHERE account_id = $1"      \
	" AND substr(label, 1, length($2)) = $2" \
	" AND substr(label, length($2) + 1) LIKE '____-__-__T__:__:__Z)%'"

static enum err older_row(void *context, const struct db_value *values, size_t count)
{
	int64_t *older = context;

	(void)count;
	*older = values[0].integer;
	return OK;
}

static enum err rotate_read_older(struct token_rotate *rotate, struct calls *calls)
{
	return calls_ask(calls, "SELECT count(*)" ROTATED_BEFORE, older_row, &rotate->older,
			 DB_INT_VALUE(rotate->write.scope.account_id),
			 DB_TEXT_VALUE(rotate->before));
}

static enum err rotate_read(struct store_write *write, struct calls *calls)
{
	struct token_rotate *rotate = rotate_of(write);
	char time[TIMESTAMP_LEN];
	const char *before, *label;
	enum err err;

	rotate->found = rotate->taken = false;
	rotate->older = 0;
	timestamp_write(write->now, time);
	before = arena_printf(write->arena, "%.*s (rotated ", (int)rotate->label.len,
			      rotate->label.ptr);
	label = before ? arena_printf(write->arena, "%s%.*s)", before, TIMESTAMP_LEN, time) : NULL;
	if (!label)
		return ERR_NOMEM;
	rotate->before = slice_of(before);
	rotate->old.label = slice_of(label);
	err = calls_ask(calls,
			"SELECT hash, created_at, expires_at, scopes, lenient, addresses FROM token"
			" WHERE account_id = $1 AND label = $2",
			rotate_row, rotate, DB_INT_VALUE(write->scope.account_id),
			DB_TEXT_VALUE(rotate->label));
	if (!err && !rotate->overlap)
		err = rotate_read_older(rotate, calls);
	if (err)
		return err;
	return calls_ask(calls, "SELECT 1 FROM token WHERE account_id = $1 AND label = $2", any_row,
			 &rotate->taken, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(rotate->old.label));
}

static int64_t time_or_last(int64_t from, int64_t seconds)
{
	return seconds > TIME_MAX - from ? TIME_MAX : from + seconds;
}

static enum err rotate_revoke(struct token_rotate *rotate, struct calls *calls)
{
	const struct db_value account = DB_INT_VALUE(rotate->write.scope.account_id);
	enum err err = calls_ask(calls, "DELETE" ROTATED_BEFORE, NULL, NULL, account,
				 DB_TEXT_VALUE(rotate->before));

	return err ? err
		   : calls_ask(calls, "DELETE FROM token WHERE account_id = $1 AND label = $2",
			       NULL, NULL, account, DB_TEXT_VALUE(rotate->label));
}

/* The old token expires, which nobody has to be told, or is revoked if there is no overlap. */
static enum err rotate_retire(struct token_rotate *rotate, struct calls *calls)
{
	struct store_write *write = &rotate->write;
	const struct db_value account = DB_INT_VALUE(write->scope.account_id);
	const struct db_value hash =
		DB_BYTES_VALUE(((struct slice){(const char *)rotate->old.hash, TOKEN_HASH_BYTES}));

	if (!rotate->overlap)
		return rotate_revoke(rotate, calls);
	return calls_ask(calls,
			 "UPDATE token SET label = $3, expires_at = $4, notice_at = $4"
			 " WHERE account_id = $1"
			 " AND hash = $2",
			 NULL, NULL, account, hash, DB_TEXT_VALUE(rotate->old.label),
			 DB_INT_VALUE(rotate->old.expires_at));
}

static enum err rotate_decide(struct store_write *write, struct calls *calls)
{
	struct token_rotate *rotate = rotate_of(write);
	struct token *old = &rotate->old, *token = &rotate->token;
	int64_t end = time_or_last(write->now, rotate->overlap);
	enum err err;

	rotate->taken = rotate->taken && rotate->overlap;
	if (!rotate->found || rotate->taken)
		return OK;
	*token = *old;
	memcpy(token->hash, rotate->hash, TOKEN_HASH_BYTES);
	token->label = rotate->label;
	if (rotate->expires_at != TIME_NONE)
		token->expires_at = rotate->expires_at;
	else if (old->expires_at != TIME_NONE)
		token->expires_at = time_or_last(write->now, old->expires_at - old->created_at);
	if (old->expires_at == TIME_NONE || old->expires_at > end)
		old->expires_at = end;
	err = rotate_retire(rotate, calls);
	return err ? err : token_insert(write, token, calls);
}

void token_rotate_init(struct token_rotate *rotate)
{
	static const struct write_steps steps = {.read = rotate_read, .decide = rotate_decide};

	*rotate = (struct token_rotate){.write = {.steps = &steps}, .expires_at = TIME_NONE};
}
