/* SPDX-License-Identifier: MIT */
/* Looks up the account, the staff member and the token of a request, for access control. */
#include "base/timefmt.h"
#include "sql/values.h"
#include "accounts/account_row.h"

/* The columns of the account, then of the staff member, then of the token. */
enum { STAFF_COLUMNS = 7, TOKEN_COLUMNS = 9, COLUMNS = 16 };

static enum err access_row(void *context, const struct db_value *values, size_t count)
{
	struct access_read *lookup = context;
	struct access *access = &lookup->access;
	const struct db_value *token = values + TOKEN_COLUMNS;
	const char *label, *addresses;

	if (count != COLUMNS)
		return ERR_INTERNAL;
	if (values[0].type != DB_INT)
		return OK;
	if (values[STAFF_COLUMNS].type == DB_INT) {
		access->staff_id = values[STAFF_COLUMNS].integer;
		access->level = (enum staff_access)values[STAFF_COLUMNS + 1].integer;
	}
	if (token[0].bytes.len == TOKEN_HASH_BYTES) {
		label = arena_copy(lookup->read.arena, token[1].bytes);
		addresses = arena_copy(lookup->read.arena, token[6].bytes);
		if (!label || !addresses)
			return ERR_NOMEM;
		memcpy(access->token.hash, token[0].bytes.ptr, TOKEN_HASH_BYTES);
		access->token.label = slice_of(label);
		access->token.expires_at = time_of_value(&token[2]);
		access->token.scopes = (token_scopes)token[3].integer;
		access->token.lenient = token[4].integer != 0;
		access->token.addresses = slice_of(addresses);
		access->token.last_used_at = time_of_value(&token[5]);
		access->token_known =
			access->token.expires_at == TIME_NONE ||
			clock_now(lookup->read.store->config.clock) < access->token.expires_at;
	}
	return account_from_row(values, lookup->read.arena, &access->account);
}

static enum err access_append(struct store_read *read, struct calls *calls)
{
	static const char sql[] =
		"SELECT " ACCOUNT_COLUMNS
		", s.id, s.access_level, t.hash, t.label, t.expires_at, t.scopes,"
		" t.lenient, t.last_used_at, t.addresses FROM (SELECT 1 AS one) o"
		" LEFT JOIN account a ON a.name = $1"
		" LEFT JOIN staff s ON s.account_id = a.id AND s.username_key = $2"
		" AND s.username_exact IN ('', $3)"
		" LEFT JOIN token t ON t.account_id = a.id AND t.hash = $4";
	struct access_read *lookup = (struct access_read *)(void *)read;
	struct slice key;
	enum err err = staff_username_key(read->arena, lookup->username, &key);

	if (err)
		return err;
	lookup->access = (struct access){.level = STAFF_DISABLED};
	return calls_ask(
		calls, sql, access_row, lookup, DB_TEXT_VALUE(lookup->account), DB_TEXT_VALUE(key),
		DB_TEXT_VALUE(lookup->username),
		DB_BYTES_VALUE(((struct slice){(const char *)lookup->hash, TOKEN_HASH_BYTES})));
}

void access_read_init(struct access_read *access, struct arena *arena)
{
	*access = (struct access_read){.read = {.arena = arena, .append = access_append}};
}

static enum err secret_row(void *context, const struct db_value *values, size_t count)
{
	unsigned char **secret = context;

	if (count != 1 || values[0].bytes.len != SECRET_BYTES)
		return ERR_INTERNAL;
	memcpy(*secret, values[0].bytes.ptr, SECRET_BYTES);
	*secret = NULL;
	return OK;
}

enum err store_secret(struct store *store, const char *name, unsigned char secret[SECRET_BYTES])
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(name))};
	const struct db_call call = {"SELECT value FROM secret WHERE name = $1", args, 1,
				     secret_row, &secret};
	enum err err = store_read_now(store, &call, 1);

	return err ? err : secret ? ERR_NOT_FOUND : OK;
}
