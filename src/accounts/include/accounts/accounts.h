/* SPDX-License-Identifier: MIT */
/* Accounts, their API tokens, and access.
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
#include "model/token_scopes.h"
#include "store/store.h"

#define TOKEN_HASH_BYTES 32
#define SECRET_BYTES 32

/* An API token. It belongs to the account; any of its staff members may use it. */
struct token {
	unsigned char hash[TOKEN_HASH_BYTES];
	struct slice label; /* its name within the account */
	int64_t created_at;
	int64_t expires_at;   /* TIME_NONE: never */
	int64_t last_used_at; /* to the minute; TIME_NONE: not yet */
	token_scopes scopes;  /* what it may do */
	/* The addresses that it works from; see token_addresses.h. */
	struct slice addresses;
	bool lenient; /* unknown fields and parameters are ignored */
};

/* A token that may do everything and never expires. */
void token_init(struct token *token, const char *label, const unsigned char *hash);

/* Finds the account of that name. If `name` is NULL, finds the only account; ERR_EXISTS if there
 * are several. ERR_NOT_FOUND if there is none. The account's texts are in the arena. */
enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out);

/* Reads the time of the latest change in all accounts. TIME_MIN: there is no change. */
enum err store_last_time(struct store *store, int64_t *at_out);

/* Reads the secret of that name: random bytes in the table `secret`. All docket processes on the
 * database use the same secret. */
enum err store_secret(struct store *store, const char *name, unsigned char secret[SECRET_BYTES]);

/* What was found for the account, user name and token of a request. */
struct access {
	struct account account; /* id ID_NONE: no such account */
	int64_t staff_id;       /* ID_NONE: no such user name in the account */
	enum staff_access level;
	bool token_known; /* the account has a token of this hash, and it has not expired */
	struct token token;
};

/* Looks up account, staff member and token in one statement, whether they exist or not. Texts are
 * in the arena. */
struct access_read {
	struct store_read read;
	struct slice account, username; /* UTF-8 */
	unsigned char hash[TOKEN_HASH_BYTES];
	struct access access; /* when done */

	/* The cache's own; see access_cache.h. */
	uint64_t changes;
	bool remembered;
};

void access_read_init(struct access_read *access, struct arena *arena);

/* Queues a write that sets the token's last_used_at to now. Does nothing if that was done for this
 * token in the last minute. */
void store_token_used(struct store *store, const struct access *access);

/* Calls on_account for each account (a struct account), sorted by name; on_token for each token of
 * an account (a struct token), the oldest first. */
enum err store_accounts(struct store *store, struct arena *arena, store_record_fn *on_account,
			void *context);
enum err store_tokens(struct store *store, const struct scope *scope, store_record_fn *on_token,
		      void *context);

/* A time zone that an account or one of its staff members has. */
struct account_zone {
	struct slice zone;
	struct slice account; /* its name */
};

/* Calls on_zone for each zone of each account (a struct account_zone), sorted by zone. */
enum err store_account_zones(struct store *store, store_record_fn *on_zone, void *context);

/* Calls on_address for each e-mail address (a struct slice) of the staff with full access of all
 * accounts, once each. */
enum err store_full_addresses(struct store *store, store_record_fn *on_address, void *context);

/* Finds the staff member who signs in with that user name. ERR_NOT_FOUND. */
enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out);

/* Creates an account with a calendar, its first staff member, who has full access, and an API
 * token. Sets the scope's account to the new id. */
struct account_create {
	struct store_write write;
	const char *name;
	struct staff *staff;
	struct token token;
	bool exists; /* when done: the name is taken, and nothing was stored */

	/* account.c's own. */
	int64_t last_id;
	void *asked; /* the staff member as the caller gave it */
};

void account_create_init(struct account_create *create);

/* A set of settings of an account. */
enum account_setting {
	ACCOUNT_COUNTRY = 1 << 0,
	ACCOUNT_REQUIRE_CASE = 1 << 1,
	ACCOUNT_EXPAND = 1 << 2,
	ACCOUNT_ALERT_MINUTE = 1 << 3,
	ACCOUNT_TIME_ZONE = 1 << 4,
};

/* Changes the settings of an account that are in `given`. account_check() must have accepted
 * them. */
struct account_set {
	struct store_write write;
	const struct account *account; /* the new values */
	unsigned given;

	/* Once done: all settings. If they are the same, nothing was stored. Texts are in the
	 * write's arena, or those of `account`. */
	struct account before, after;
};

void account_set_init(struct account_set *set);

/* Removes the scope's account: no request reaches it from now on. store_purge() then deletes its
 * data. */
void account_remove_init(struct store_write *remove);

/* Deletes the data of removed accounts, in many writes. Before each, goes_on(context) says whether
 * to go on; NULL: yes. */
enum err store_purge(struct store *store, bool (*goes_on)(void *context), void *context);

/* Adds `token`, or revokes the account's token that has the same label. */
struct token_write {
	struct store_write write;
	const struct token *token;
	bool adds;
	bool found; /* when done: a token had the label already; then none was added */
};

void token_add_init(struct token_write *add);
void token_revoke_init(struct token_write *revoke);

#endif
