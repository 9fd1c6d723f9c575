/* SPDX-License-Identifier: MIT */
/* Loads the tokens that exist when the server starts. So nobody is locked out after a restart
 * because of others behind the same address. */
#include "accounts/accounts.h"
#include "auth/guesses.h"
#include "base/timefmt.h"

struct account_row {
	struct slice name;
	int64_t id;
	struct account_row *next;
};

struct load {
	struct guesses *guesses;
	struct arena arena;
	struct account_row *accounts;
	struct slice name; /* of the account whose tokens are read */
	int64_t now;
	int64_t now_ms;
};

static enum err on_account(void *context, const void *record)
{
	struct load *load = context;
	const struct account *account = record;
	struct account_row *row = arena_alloc(&load->arena, sizeof(*row));
	const char *name = arena_copy(&load->arena, account->name);

	if (!row || !name)
		return ERR_NOMEM;
	*row = (struct account_row){slice_of(name), account->id, load->accounts};
	load->accounts = row;
	return OK;
}

static enum err on_token(void *context, const void *record)
{
	const struct load *load = context;
	const struct token *token = record;
	int64_t used = token->last_used_at == TIME_NONE ? token->created_at : token->last_used_at;
	struct guess guess = {
		.account = load->name,
		.token_hash = token->hash,
		.now_ms = load->now_ms - (load->now - used) * 1000,
	};

	if (token->expires_at == TIME_NONE || load->now < token->expires_at)
		guesses_passed(load->guesses, &guess);
	return OK;
}

enum err guesses_load(struct guesses *guesses, struct store *store, int64_t now, int64_t now_ms)
{
	struct load load = {.guesses = guesses, .now = now, .now_ms = now_ms};
	enum err err = store_accounts(store, &load.arena, on_account, &load);

	for (const struct account_row *row = load.accounts; row && !err; row = row->next) {
		const struct scope scope = {row->id, ID_NONE};

		load.name = row->name;
		err = store_tokens(store, &scope, on_token, &load);
	}
	arena_release(&load.arena);
	return err;
}
