/* SPDX-License-Identifier: MIT */
/* Verifies the chains of the history. */
#include "records/history_chain.h"

/* The history of an account that is being removed is deleted from the first entry on. */
#define KEPT " WHERE account_id NOT IN (SELECT id FROM account WHERE name LIKE '-%')"

struct head {
	int64_t account_id;
	unsigned char hash[DIGEST_BYTES];
	bool broken; /* and reported */
};

struct chain {
	bool plain;
	history_break_fn *on_break;
	void *context;
	struct buf heads; /* of struct head, sorted by account: the hashes that accounts have */
	struct head at;   /* the account being read, and the hash so far */
	int64_t change;   /* the last that was read */
};

static enum err chain_report(struct chain *chain, int64_t account_id, int64_t change,
			     const char *what)
{
	return chain->on_break(chain->context, &(struct history_break){account_id, change, what});
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
	struct head *head = NULL;
	enum err err = OK;

	if (chain->at.account_id != ID_NONE && chain->heads.len)
		head = bsearch(&chain->at, chain->heads.ptr, chain->heads.len / sizeof(*head),
			       sizeof(*head), by_account);
	if (!head)
		return OK; /* docket check reports an account without a state */
	if (!chain->at.broken && memcmp(head->hash, chain->at.hash, DIGEST_BYTES) != 0)
		err = chain_report(chain, chain->at.account_id, chain->change,
				   "is the last entry, but the account has another hash");
	head->broken = true;
	return err;
}

/* Computes the hash that the entry should have. False: its salt is missing or has a wrong length.
 */
static bool entry_fits(const struct chain *chain, const struct history_entry *entry,
		       unsigned char expected[DIGEST_BYTES])
{
	if (chain->plain)
		history_hash_plain(entry, chain->at.hash, expected);
	else
		history_hash(entry, chain->at.hash, expected);
	return chain->plain || entry->salt.len == (entry->value.ptr ? SALT_BYTES : 0);
}

static enum err entry_row(void *context, const struct db_value *values, size_t count)
{
	struct chain *chain = context;
	const struct slice hash = values[HISTORY_COLUMNS_COUNT].bytes;
	unsigned char expected[DIGEST_BYTES];
	struct history_entry entry;
	enum err err = OK;
	bool fits;

	(void)count;
	history_from_row(values, &entry);
	if (entry.account_id != chain->at.account_id) {
		err = chain_end_account(chain);
		chain->at = (struct head){.account_id = entry.account_id};
	}
	chain->change = entry.change;
	if (err || chain->at.broken)
		return err;
	fits = entry_fits(chain, &entry, expected);
	memcpy(chain->at.hash, expected, DIGEST_BYTES);
	if (fits && slice_eq(hash, (struct slice){(const char *)expected, DIGEST_BYTES}))
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

enum err history_verify(struct db *db, bool plain, history_break_fn *on_break, void *context)
{
	struct chain chain = {.plain = plain,
			      .on_break = on_break,
			      .context = context,
			      .at = {.account_id = ID_NONE}};
	const struct db_call calls[] = {
		{.sql = "SELECT account_id, history_head FROM account_state" KEPT
			" ORDER BY account_id",
		 .on_row = head_row,
		 .context = &chain},
		{.sql = "SELECT " HISTORY_COLUMNS ", hash FROM history" KEPT
			" ORDER BY account_id, change",
		 .on_row = entry_row,
		 .context = &chain,
		 .many = true},
	};
	enum err err = db->driver->run(db, calls, COUNT_OF(calls));

	if (!err)
		err = chain_end_account(&chain);
	if (!err)
		err = chain_report_missing(&chain);
	buf_release(&chain.heads);
	return err;
}
