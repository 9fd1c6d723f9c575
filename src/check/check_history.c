/* SPDX-License-Identifier: MIT */
/* The rule of docket check about the chain of the history: each entry has the hash of what it says
 * and of the one before, and the account has the hash of the last. Of each account the first entry
 * that does not fit is told; behind it nothing can. */
#include "check_private.h"
#include "records/history_row.h"

struct head {
	int64_t account_id;
	unsigned char hash[DIGEST_BYTES];
	bool broken; /* and told */
};

struct chain {
	struct check *check;
	struct buf heads; /* of struct head, by account, as the accounts have them */
	struct head at;   /* the account being read, and the hash so far */
	int64_t change;   /* the last that was read */
};

static enum err add(struct chain *chain, int64_t account_id, int64_t change, const char *what)
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

/* The end of one account's entries. */
static enum err end_account(struct chain *chain)
{
	struct head *head = bsearch(&chain->at, chain->heads.ptr, chain->heads.len / sizeof(*head),
				    sizeof(*head), by_account);
	enum err err = OK;

	if (!head)
		return OK; /* another rule's */
	if (!chain->at.broken && memcmp(head->hash, chain->at.hash, DIGEST_BYTES) != 0)
		err = add(chain, chain->at.account_id, chain->change,
			  "is not the end that the account has");
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
			err = end_account(chain);
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
	return add(chain, entry.account_id, entry.change, "is not as it was written");
}

/* An account whose entries are all gone. */
static enum err find_headless(struct chain *chain)
{
	static const unsigned char none[DIGEST_BYTES];
	const struct head *heads = (const struct head *)(const void *)chain->heads.ptr;
	enum err err = OK;

	for (size_t i = 0; i < chain->heads.len / sizeof(*heads) && !err; i++)
		if (!heads[i].broken && memcmp(heads[i].hash, none, DIGEST_BYTES) != 0)
			err = add(chain, heads[i].account_id, ID_NONE, "all entries are missing");
	return err;
}

enum err check_history_chain(struct check *check)
{
	const struct db_driver *driver = check->store->driver;
	struct chain chain = {.check = check, .at = {.account_id = ID_NONE}};
	const struct db_call calls[] = {
		{.sql = "SELECT id, history_head FROM account ORDER BY id",
		 .on_row = head_row,
		 .context = &chain},
		{.sql = "SELECT " HISTORY_COLUMNS ", hash FROM history"
			" ORDER BY account_id, change",
		 .on_row = entry_row,
		 .context = &chain,
		 .many = true},
	};
	/* Both see the same. */
	enum err err = driver->begin(check->db);

	if (!err)
		err = driver->run(check->db, calls, 2);
	if (!err && chain.at.account_id != ID_NONE)
		err = end_account(&chain);
	if (!err)
		err = find_headless(&chain);
	buf_release(&chain.heads);
	return err;
}
