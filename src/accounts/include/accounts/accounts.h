/* SPDX-License-Identifier: MIT */
/* Accounts, their API tokens, and who may come in.
 *
 *	struct access_read lookup;
 *
 *	access_read_init(&lookup, &arena);
 *	lookup.account = slice_of("main");
 *	lookup.username = slice_of("admin");
 *	memcpy(lookup.hash, hash, TOKEN_HASH_BYTES);
 *	err = store_do(store, &lookup.read);
 *	if (!err && lookup.access.token_known && lookup.access.staff_id != ID_NONE)
 *		store_token_used(store, &lookup.access); */
#ifndef ACCOUNTS_ACCOUNTS_H
#define ACCOUNTS_ACCOUNTS_H

#include "model/account.h"
#include "model/staff.h"
#include "store/store.h"

#define TOKEN_HASH_BYTES 32
#define SECRET_BYTES 32

/* An API token: the account's, whoever uses it. */
struct token {
	unsigned char hash[TOKEN_HASH_BYTES];
	struct slice label; /* names it in its account */
	int64_t created_at;
	int64_t expires_at;   /* TIME_NONE: never */
	int64_t last_used_at; /* to the minute; TIME_NONE: not yet */
	bool read_only;       /* for GET and HEAD alone */
	bool lenient;         /* unknown fields and parameters are ignored */
};

void token_init(struct token *token, const char *label, const unsigned char *hash);

/* The account of that name; or, where `name` is NULL, the only one, and ERR_EXISTS where there are
 * several. ERR_NOT_FOUND. Its texts are in the arena. */
enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out);

/* The greatest time that any account has given to a change; TIME_MIN where there is none. */
enum err store_last_time(struct store *store, int64_t *at_out);

/* The random bytes of that name, which every process of this database has: see schema/. */
enum err store_secret(struct store *store, const char *name, unsigned char secret[SECRET_BYTES]);

/* Who a request says it is. */
struct access {
	struct account account; /* id ID_NONE: no such account */
	int64_t staff_id;       /* ID_NONE: no such user name in the account */
	enum staff_access level;
	bool token_known; /* the account has a token of this hash, and it has not expired */
	struct token token;
};

/* Looks up account, staff member and token in one statement, known or not. Texts are in the
 * arena. */
struct access_read {
	struct store_read read;
	struct slice account, username; /* UTF-8 */
	unsigned char hash[TOKEN_HASH_BYTES];
	struct access access; /* when done */
};

void access_read_init(struct access_read *access, struct arena *arena);

/* Remembers that a token was used now: soon, and with no write a request. */
void store_token_used(struct store *store, const struct access *access);

/* Every account by name, as struct account; every token of an account by age, as struct token. */
enum err store_accounts(struct store *store, struct arena *arena, store_record_fn *on_account,
			void *context);
enum err store_tokens(struct store *store, const struct scope *scope, store_record_fn *on_token,
		      void *context);

/* The staff member who signs in by that user name. ERR_NOT_FOUND. */
enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out);

/* Creates an account with its first staff member, who has full access, and an API token. The
 * scope's account is set to its id. */
struct account_create {
	struct store_write write;
	const char *name;
	struct staff *staff;
	struct token token;
	bool exists; /* when done: the name is taken, and nothing was stored */

	/* The store's own. */
	int64_t last_id;
	void *asked; /* the staff member as it came */
};

void account_create_init(struct account_create *create);

/* Sets all that an account is set to, which account_check() has found right. */
struct account_set {
	struct store_write write;
	const struct account *account;
};

void account_set_init(struct account_set *set);

/* Removes the scope's account: nobody gets at it from now on. What it has is then deleted by
 * store_purge(). */
void account_remove_init(struct store_write *remove);

/* Deletes a part of what removed accounts have, as one write. `more_out` is false when there was
 * nothing left. */
enum err store_purge(struct store *store, bool *more_out);

/* Adds a token, or revokes the one of its label. */
struct token_write {
	struct store_write write;
	const struct token *token;
	bool found; /* when done: there was one of the label; then none was added */
};

void token_add_init(struct token_write *add);
void token_revoke_init(struct token_write *revoke);

#endif
