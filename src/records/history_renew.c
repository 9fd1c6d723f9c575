/* SPDX-License-Identifier: MIT */
/* Renews the history after a migration. If a record differs from the value in its last entry, it
 * gets a new entry, in docket's own name and with a new change number. So its ETag changes, and
 * clients that follow the changes see the record as it is.
 *
 * If the chain has no digests of values, or there is none, the entries get salts and a new chain.
 * The old chain is verified first. An entry of the new one keeps the number and the hash of its
 * last entry. */
#include "base/hex.h"
#include "codec/codec.h"
#include "records/history_chain.h"
#include "records/history_renew.h"
#include "sql/values.h"

#define PAGE_ROWS 256 /* records or entries in a page */

struct renewed {
	int64_t id;
	struct slice value; /* in the arena */
};

struct renewal {
	struct db *db;
	int64_t had;         /* the schema before */
	struct buf accounts; /* of struct account_state */
	struct account_state *account;
	struct store_write write;
	/* For one page. */
	struct arena arena;
	struct calls calls;
	const struct record_type *type;
	struct renewed renewed[PAGE_ROWS];
	size_t renewed_count;
	size_t rows;
	int64_t last; /* the last id or change that was read */
};

static enum err renewal_account_row(void *context, const struct db_value *values, size_t count)
{
	struct renewal *renewal = context;
	struct account_state account = {
		.id = values[0].integer,
		.last_change = values[1].integer,
		.last_at = values[3].integer,
		.found = true,
	};

	(void)count;
	if (values[2].bytes.len == DIGEST_BYTES)
		memcpy(account.head, values[2].bytes.ptr, DIGEST_BYTES);
	buf_add(&renewal->accounts, &account, sizeof(account));
	return renewal->accounts.failed ? ERR_NOMEM : OK;
}

static enum err renewal_flush(struct renewal *renewal)
{
	enum err err =
		renewal->db->driver->run(renewal->db, renewal->calls.list, renewal->calls.count);

	renewal->calls = (struct calls){.arena = &renewal->arena};
	arena_release(&renewal->arena);
	return err;
}

/* Runs a statement page by page: $1 is the account, $2 the number after which the page begins.
 * Calls on_row for each row and on_page for each page. Then runs the statements that these have
 * listed. */
static enum err renewal_each_page(struct renewal *renewal, const char *sql, db_row_fn *on_row,
				  enum err (*on_page)(struct renewal *renewal))
{
	enum err err = OK;

	renewal->last = 0;
	do {
		const struct db_value args[] = {DB_INT_VALUE(renewal->account->id),
						DB_INT_VALUE(renewal->last)};
		const struct db_call call = {sql, args, 2, on_row, renewal};

		renewal->rows = renewal->renewed_count = 0;
		err = renewal->db->driver->run(renewal->db, &call, 1);
		if (!err && on_page)
			err = on_page(renewal);
		if (!err)
			err = renewal_flush(renewal);
	} while (!err && renewal->rows == PAGE_ROWS);
	return err;
}

/* Gives an entry its salt and its hash in the new chain. */
static enum err renewal_entry_row(void *context, const struct db_value *values, size_t count)
{
	struct renewal *renewal = context;
	unsigned char *hash = arena_alloc(&renewal->arena, DIGEST_BYTES + SALT_BYTES);
	struct history_entry entry;

	(void)count;
	if (!hash)
		return ERR_NOMEM;
	history_from_row(values, &entry);
	renewal->rows++;
	renewal->last = entry.change;
	if (entry.value.ptr) {
		salt_make(hash + DIGEST_BYTES);
		entry.salt = (struct slice){(const char *)hash + DIGEST_BYTES, SALT_BYTES};
	}
	history_hash(&entry, renewal->account->head, hash);
	memcpy(renewal->account->head, hash, DIGEST_BYTES);
	return calls_ask(&renewal->calls,
			 "UPDATE history SET hash = $3, salt = $4"
			 " WHERE account_id = $1 AND change = $2",
			 NULL, NULL, DB_INT_VALUE(entry.account_id), DB_INT_VALUE(entry.change),
			 DB_BYTES_VALUE(((struct slice){(const char *)hash, DIGEST_BYTES})),
			 entry.salt.ptr ? DB_BYTES_VALUE(entry.salt) : DB_NULL_VALUE);
}

/* The time of the entries that are added now. */
static void renewal_set_time(struct renewal *renewal)
{
	if (renewal->account->last_at < renewal->write.now)
		renewal->account->last_at = renewal->write.now;
}

/* Adds the entry about the last one of the old chain, whose hash is `old`. */
static enum err renewal_add_chain(struct renewal *renewal, const unsigned char old[DIGEST_BYTES])
{
	struct account_state *account = renewal->account;
	struct record last = {.id = account->last_change, .change = account->last_change + 1};
	char hash[HEX_BYTES(DIGEST_BYTES)];
	struct buf value = {0};
	enum err err;

	hex_write(old, DIGEST_BYTES, hash);
	buf_printf(&value, "{\"id\":%lld,\"hash\":\"%s\"}", (long long)last.id, hash);
	account->last_change++;
	renewal_set_time(renewal);
	err = value.failed ? ERR_NOMEM
			   : history_add(&renewal->write, HISTORY_CHAIN_KIND, &last, "create",
					 buf_slice(&value), &renewal->calls);
	if (!err)
		err = renewal_flush(renewal);
	buf_release(&value);
	return err;
}

static enum err renewal_make_chain(struct renewal *renewal)
{
	static const char entries[] =
		"SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1"
		" AND change > $2 ORDER BY change LIMIT 256";
	struct account_state *account = renewal->account;
	unsigned char old[DIGEST_BYTES];
	enum err err;

	memcpy(old, account->head, DIGEST_BYTES);
	memset(account->head, 0, DIGEST_BYTES);
	err = renewal_each_page(renewal, entries, renewal_entry_row, NULL);
	return err || renewal->had < HISTORY_CHAIN_SCHEMA || !account->last_change
		       ? err
		       : renewal_add_chain(renewal, old);
}

/* The row has the record's columns, then the value of its last entry. */
static enum err renewal_record_row(void *context, const struct db_value *values, size_t count)
{
	struct renewal *renewal = context;
	const struct db_value *then = &values[count - 1];
	struct renewed *renewed = &renewal->renewed[renewal->renewed_count];
	void *record = arena_alloc(&renewal->arena, renewal->type->size);
	struct buf now = {0};
	const char *copy = NULL;
	enum err err =
		record ? record_from_row(renewal->type, values, count - 1, &renewal->arena, record)
		       : ERR_NOMEM;

	if (err)
		return err;
	renewal->rows++;
	renewal->last = ((const struct record *)record)->id;
	encode_record(renewal->type, record, &now);
	if (now.failed) {
		err = ERR_NOMEM;
	} else if (then->type != DB_TEXT || !slice_eq(then->bytes, buf_slice(&now))) {
		copy = arena_copy(&renewal->arena, buf_slice(&now));
		*renewed = (struct renewed){renewal->last, {copy, now.len}};
		renewal->renewed_count++;
		err = copy ? OK : ERR_NOMEM;
	}
	buf_release(&now);
	return err;
}

static enum err renewal_write_page(struct renewal *renewal)
{
	const char *sql =
		arena_printf(&renewal->arena,
			     "UPDATE %s SET change = $3 WHERE account_id = $1 AND id = $2",
			     renewal->type->table);
	enum err err = sql ? OK : ERR_NOMEM;

	if (renewal->renewed_count)
		renewal_set_time(renewal);
	for (size_t i = 0; i < renewal->renewed_count && !err; i++) {
		struct record record = {.id = renewal->renewed[i].id,
					.change = ++renewal->account->last_change};

		err = history_add(&renewal->write, renewal->type->name, &record, "update",
				  renewal->renewed[i].value, &renewal->calls);
		if (!err)
			err = calls_ask(&renewal->calls, sql, NULL, NULL,
					DB_INT_VALUE(renewal->account->id), DB_INT_VALUE(record.id),
					DB_INT_VALUE(record.change));
	}
	return err;
}

static enum err renewal_run_kind(struct renewal *renewal, const struct record_type *type)
{
	struct arena arena = {0};
	const char *from = arena_printf(
		&arena,
		", (SELECT h.value FROM history h WHERE h.account_id = %s.account_id"
		" AND h.change = %s.change AND h.record = '%s' AND h.record_id = %s.id)"
		" FROM %s WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT %d",
		type->table, type->table, type->name, type->table, type->table, PAGE_ROWS);
	const char *sql =
		from ? record_select(sql_dialect(renewal->db->driver), type, from, &arena) : NULL;
	enum err err;

	renewal->type = type;
	err = sql ? renewal_each_page(renewal, sql, renewal_record_row, renewal_write_page)
		  : ERR_NOMEM;
	arena_release(&arena);
	return err;
}

static enum err renewal_end_account(struct renewal *renewal)
{
	const struct account_state *account = renewal->account;
	const struct db_value args[] = {
		DB_INT_VALUE(account->id), DB_INT_VALUE(account->last_change),
		DB_BYTES_VALUE(((struct slice){(const char *)account->head, DIGEST_BYTES})),
		DB_INT_VALUE(account->last_at)};
	const struct db_call call = {"UPDATE account_state SET last_change = $2,"
				     " history_head = $3, last_at = $4 WHERE account_id = $1",
				     args, 4, NULL, NULL};

	return account->last_change ? renewal->db->driver->run(renewal->db, &call, 1) : OK;
}

static enum err renewal_run_account(struct renewal *renewal)
{
	enum err err = OK;

	renewal->write.scope.account_id = renewal->account->id;
	renewal->write.account = renewal->account;
	if (renewal->had < HISTORY_DIGESTS_SCHEMA)
		err = renewal_make_chain(renewal);
	for (enum record_kind kind = 0; kind < RECORD_KINDS && !err; kind++)
		err = renewal_run_kind(renewal, record_types[kind]);
	return err ? err : renewal_end_account(renewal);
}

static enum err old_chain_break(void *context, const struct history_break *found)
{
	*(struct history_break *)context = *found;
	return ERR_CORRUPT;
}

static enum err account_name_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	buf_printf(context, " of account \"%.*s\"", (int)values[0].bytes.len, values[0].bytes.ptr);
	return OK;
}

/* Refuses an old chain that is broken: the new one would hide it. */
static enum err old_chain_verify(struct db *db, struct buf *why)
{
	struct history_break found = {0};
	enum err err = history_verify(db, true, old_chain_break, &found);
	const struct db_value id = DB_INT_VALUE(found.account_id);
	const struct db_call name = {"SELECT name FROM account WHERE id = $1", &id, 1,
				     account_name_row, why};

	if (err != ERR_CORRUPT || !found.what)
		return err;
	buf_add_text(why, "the history");
	(void)db->driver->run(db, &name, 1);
	buf_add_text(why, " was altered: ");
	if (found.change != ID_NONE)
		buf_printf(why, "change %lld ", (long long)found.change);
	buf_printf(why,
		   "%s. Nothing was migrated: restore a backup whose history is as docket wrote "
		   "it, or stay with the docket that wrote this one",
		   found.what);
	return ERR_CORRUPT;
}

enum err history_renew(struct db *db, int64_t had, int64_t now, struct buf *why)
{
	struct renewal renewal = {.db = db, .had = had};
	const struct db_call call = {
		.sql = "SELECT s.account_id, s.last_change, s.history_head, s.last_at"
		       " FROM account_state s JOIN account a ON a.id = s.account_id"
		       " WHERE a.name NOT LIKE '-%' ORDER BY s.account_id",
		.on_row = renewal_account_row,
		.context = &renewal};
	bool verify = had >= HISTORY_CHAIN_SCHEMA && had < HISTORY_DIGESTS_SCHEMA;
	enum err err = verify ? old_chain_verify(db, why) : OK;

	if (!err)
		err = db->driver->run(db, &call, 1);
	renewal.write = (struct store_write){.arena = &renewal.arena, .now = now};
	renewal.calls.arena = &renewal.arena;
	for (size_t at = 0; at < renewal.accounts.len && !err; at += sizeof(*renewal.account)) {
		renewal.account = (void *)(renewal.accounts.ptr + at);
		err = renewal_run_account(&renewal);
	}
	arena_release(&renewal.arena);
	buf_release(&renewal.accounts);
	return err;
}
