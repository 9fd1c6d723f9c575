/* SPDX-License-Identifier: MIT */
/* Tries a write without the account's lock, and stores nothing. */
#include "idempotency.h"
#include "steps.h"

/* Step one, as in batch.c but without the account's lock. */
static enum err preview_execute(struct store_read *read, struct db *db)
{
	struct store_write *write = ((struct write_preview *)(void *)read)->write;
	const struct db_driver *driver = read->store->driver;
	struct calls calls = {.arena = read->arena};
	enum err err;

	write_start_afresh(write);
	err = write_read_first(write, &calls);
	if (!err)
		err = driver->run(db, calls.list, calls.count);
	calls.count = 0;
	if (!err)
		err = write_read_more(write, &calls);
	return err ? err : driver->run(db, calls.list, calls.count);
}

enum err write_preview_init(struct write_preview *preview, struct store *store,
			    struct store_write *write)
{
	enum err err = idempotency_begin(&store->keys, write);

	if (err)
		return err;
	/* The preview stores no key; it only had to see whether a write with it is in progress. */
	idempotency_end(&store->keys, write);
	write_init(write, store);
	*preview = (struct write_preview){
		.read = {.arena = write->arena,
			 .job = {.group = GROUP_WRITE},
			 .execute = preview_execute},
		.write = write,
		.account = {.found = true, .last_at = write->now, .ledger_now = write->now}};
	return OK;
}

enum err write_preview_decide(struct write_preview *preview)
{
	struct store_write *write = preview->write;
	struct calls dropped = {.arena = write->arena};

	write->account = &preview->account;
	return idempotency_answers(write) ? OK : write->steps->decide(write, &dropped);
}
