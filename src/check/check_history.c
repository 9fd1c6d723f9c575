/* SPDX-License-Identifier: MIT */
/* The rule of docket check about the hash chain of the history. The hash of each entry is over its
 * contents and the hash of the entry before. The account has the hash of its last entry. The rule
 * reports the first wrong entry of each account; those behind it cannot be checked. */
#include "check_private.h"
#include "records/history_row.h"

struct head {
	int64_t account_id;
	unsigned char hash[DIGEST_BYTES];
	bool broken; /* and reported */
};

struct chain {
	struct check *check;
	struct buf heads; /* of struct head, sorted by account: the hashes that accounts have */
	struct head at;   /* the account being read, and the hash so far */
	int64_t change;   /* the last that was read */
};

static enum err chain_report(struct chain *chain, int64_t account_id, int64_t change,
			     const char *what)
{
	const struct check_entry entry = {
		.account_id = account_id, .record = "change", .id = change, .what = what};

	return check_add(chain->check, &chain->check->results[CHECK_HISTORY_CHAIN], &entry);
}

static enum err head_row(void *context, const struct db_value *values, size_t count)
{
	struct chain *chain = context;
	struct head head = {.account_id = values[0].integer};

	(void)count;
	if (values[1].bytes.len == DIGEST_BYTES)
		memcpy(head.hash, values[1].bytes.ptr, DIGEST_BYTES);
	buf_add(&chain->heads, &head, sizeof(head));
	return chain->heads.failed ? ERR_NOMEM : OK;
}

static int by_account(const void *a, const void *b)
{
	int64_t x = ((const struct head *)a)->account_id, y = ((const struct head *)b)->account_id;

	return (x > y) - (x < y);
}

/* Compares an account's hash with that of its last entry. */
static enum err chain_end_account(struct chain *chain)
{
	struct head *head = bsearch(&chain->at, chain->heads.ptr, chain->heads.len / sizeof(*head),
				    sizeof(*head), by_account);
	enum err err = OK;

	if (!head)
		return OK; /* another rule reports this */
	if (!chain->at.broken && memcmp(head->hash, chain->at.hash, DIGEST_BYTES) != 0)
		err = chain_report(chain, chain->at.account_id, chain->change,
				   "is the last entry, but the account has another hash");
	head->broken = true;
	return err;
}

static enum err entry_row(void *context, const struct db_value *values, size_t count)
{
	struct chain *chain = context;
	const struct db_value *hash = &values[HISTORY_COLUMNS_COUNT];
	unsigned char expected[DIGEST_BYTES];
	struct history_entry entry;
	enum err err = OK;

	(void)count;
	history_from_row(values, &entry);
	if (entry.account_id != chain->at.account_id) {
		if (chain->at.account_id != ID_NONE)
			err = chain_end_account(chain);
		chain->at = (struct head){.account_id = entry.account_id};
	}
	chain->change = entry.change;
	if (err || chain->at.broken)
		return err;
	history_hash(&entry, chain->at.hash, expected);
	memcpy(chain->at.hash, expected, DIGEST_BYTES);
	if (hash->bytes.len == DIGEST_BYTES && memcmp(hash->bytes.ptr, expected, DIGEST_BYTES) == 0)
		return OK;
	chain->at.broken = true;
	return chain_report(chain, entry.account_id, entry.change, "is not as it was written");
}

/* Reports accounts whose entries are all missing. */
static enum err chain_report_missing(struct chain *chain)
{
	static const unsigned char none[DIGEST_BYTES];
	const struct head *heads = (const struct head *)(const void *)chain->heads.ptr;
	enum err err = OK;

	for (size_t i = 0; i < chain->heads.len / sizeof(*heads) && !err; i++)
		if (!heads[i].broken && memcmp(heads[i].hash, none, DIGEST_BYTES) != 0)
			err = chain_report(chain, heads[i].account_id, ID_NONE,
					   "all entries are missing");
	return err;
}

enum err check_history_chain(struct check *check)
{
	const struct db_driver *driver = check->store->driver;
	struct chain chain = {.check = check, .at = {.account_id = ID_NONE}};
	const struct db_call calls[] = {
		{.sql = "SELECT account_id, history_head FROM account_state ORDER BY account_id",
		 .on_row = head_row,
		 .context = &chain},
		{.sql = "SELECT " HISTORY_COLUMNS ", hash FROM history"
			" ORDER BY account_id, change",
		 .on_row = entry_row,
		 .context = &chain,
		 .many = true},
	};
	/* Both statements read one snapshot. */
	enum err err = driver->begin(check->db);

	if (!err)
		err = driver->run(check->db, calls, 2);
	if (!err && chain.at.account_id != ID_NONE)
		err = chain_end_account(&chain);
	if (!err)
		err = chain_report_missing(&chain);
	buf_release(&chain.heads);
	return err;
}
