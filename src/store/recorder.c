/* SPDX-License-Identifier: MIT */
/* Hands every commit to a recorder. */
#include "store/recorder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hex.h"

static void mark_make(char mark[STORE_MARK_BYTES], int64_t number)
{
	unsigned char salt[SALT_BYTES];
	char digits[HEX_BYTES(SALT_BYTES)];

	salt_make(salt);
	hex_write(salt, sizeof(salt), digits);
	snprintf(mark, STORE_MARK_BYTES, "%" PRId64 "-%s", number, digits);
}

bool mark_read(const char *mark, int64_t *number_out)
{
	char *end;
	long long number = strtoll(mark, &end, 10);

	if (end == mark || *end != '-' || number < 0)
		return false;
	*number_out = number;
	return true;
}

enum err recorder_start(struct store *store, struct store_recorder *recorder)
{
	struct db_value args[1];
	const struct db_call insert = {
		.sql = "INSERT INTO property (name, value) VALUES ('replica', $1)",
		.args = args,
		.arg_count = 1};
	enum err err;

	if (!mark_read(store->mark, &recorder->number)) {
		recorder->number = 0;
		mark_make(store->mark, 0);
	}
	args[0] = DB_TEXT_VALUE(slice_of(store->mark));
	err = store->driver->run(store->write_db, &insert, 1);
	if (!err)
		store->recorder = recorder;
	return err;
}

void recorder_end(struct store *store)
{
	if (!store->recorder)
		return;
	buf_release(&store->recorder->changes);
	buf_release(&store->recorder->accounts);
	store->recorder = NULL;
}

void recorder_begin(struct store *store, struct db *db)
{
	struct store_recorder *recorder = store->recorder;
	bool wants;

	if (!recorder)
		return;
	wants = recorder->wants(recorder->context);
	buf_clear(&recorder->accounts);
	buf_clear(&recorder->changes);
	if (wants == recorder->on)
		return;
	/* The index of titles is made anew by a restore, so no title waits then. */
	recorder->on =
		store->driver->record(
			db, wants, sql_dialect(store->driver)->text_index->pending.table) == OK &&
		wants;
}

void recorder_note(struct store *store, int64_t account_id, int64_t last_change)
{
	const struct commit_account account = {account_id, last_change};

	if (store->recorder)
		buf_add(&store->recorder->accounts, &account, sizeof(account));
}

enum err recorder_mark(struct store *store, struct calls *calls)
{
	struct store_recorder *recorder = store->recorder;

	if (!recorder)
		return OK;
	mark_make(recorder->mark, recorder->number + 1);
	return calls_ask(calls, "UPDATE property SET value = $1 WHERE name = 'replica'", NULL, NULL,
			 DB_TEXT_VALUE(slice_of(recorder->mark)));
}

void recorder_commit(struct store *store, struct db *db)
{
	struct store_recorder *recorder = store->recorder;
	struct store_commit commit = {0};
	bool recorded;

	if (!recorder)
		return;
	/* Changes that are not taken would come with those of the next commit. */
	recorded = recorder->on && store->driver->take_changes(db, &recorder->changes) == OK &&
		   !recorder->accounts.failed;
	recorder->at = clock_not_before(store->config.clock, recorder->at);
	commit.number = ++recorder->number;
	commit.at = recorder->at;
	memcpy(commit.mark, recorder->mark, sizeof(commit.mark));
	commit.accounts = (const void *)recorder->accounts.ptr;
	commit.account_count = recorder->accounts.len / sizeof(struct commit_account);
	if (recorded)
		commit.changes = buf_slice(&recorder->changes);
	recorder->committed(recorder->context, &commit);
}
