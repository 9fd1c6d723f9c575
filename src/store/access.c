/* SPDX-License-Identifier: MIT */
/* Who may come in: accounts, staff members and tokens, as access control asks for them. */
#include "store/store_private.h"

struct lookup {
	struct arena *arena;
	struct access *access;
};

static enum err access_row(void *context, const struct db_value *values, size_t count)
{
	struct lookup *lookup = context;
	struct access *access = lookup->access;
	char *country = arena_copy(lookup->arena, values[1].bytes);

	if (count != 5 || !country)
		return country ? ERR_INTERNAL : ERR_NOMEM;
	if (values[0].type != DB_INT)
		return OK;
	access->account_id = values[0].integer;
	access->country = slice_of(country);
	access->staff_id = values[2].type == DB_INT ? values[2].integer : ID_NONE;
	access->level =
		values[3].type == DB_INT ? (enum staff_access)values[3].integer : STAFF_DISABLED;
	access->token_known = values[4].bytes.len == TOKEN_HASH_BYTES;
	if (access->token_known)
		memcpy(access->token_hash, values[4].bytes.ptr, TOKEN_HASH_BYTES);
	return OK;
}

enum err store_access(struct store *store, struct slice account, struct slice username,
		      const unsigned char hash[TOKEN_HASH_BYTES], struct arena *arena,
		      struct access *access_out)
{
	static const char sql[] =
		"SELECT a.id, a.country, s.id, s.access_level, t.hash FROM (SELECT 1 AS one) o"
		" LEFT JOIN account a ON a.name = $1"
		" LEFT JOIN staff s ON s.account_id = a.id AND s.username = $2"
		" LEFT JOIN token t ON t.account_id = a.id AND t.hash = $3";
	const struct db_value args[] = {
		DB_TEXT_VALUE(account),
		DB_TEXT_VALUE(username),
		DB_BYTES_VALUE(((struct slice){(const char *)hash, TOKEN_HASH_BYTES})),
	};
	struct access access = {0};
	struct lookup lookup = {arena, &access};
	const struct db_call call = {sql, args, 3, access_row, &lookup};
	enum err err = store_read(store, &call, 1);

	if (!err)
		*access_out = access;
	return err;
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
	enum err err = store_read(store, &call, 1);

	return err ? err : secret ? ERR_NOT_FOUND : OK;
}
