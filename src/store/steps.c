/* SPDX-License-Identifier: MIT */
/* Step one of a write, with its key. */
#include "steps.h"

#include "base/timefmt.h"
#include "cache/record_cache.h"
#include "idempotency.h"

enum err read_nothing(struct store_write *write, struct calls *calls)
{
	(void)write;
	(void)calls;
	return OK;
}

void write_note_due(struct store_write *write, int64_t due_at)
{
	if (due_at != TIME_NONE && (write->due_at == TIME_NONE || due_at < write->due_at))
		write->due_at = due_at;
}

void write_note_record(struct store_write *write, enum record_kind kind, int64_t id)
{
	const struct record_key key = {write->scope.account_id, kind, id};

	if (write->store->record_cache && write->account->changed_records)
		buf_add(write->account->changed_records, &key, sizeof(key));
}

enum err write_read_first(struct store_write *write, struct calls *calls)
{
	enum err err = write->key ? idempotency_read(write, calls) : OK;

	return err ? err : write->steps->read(write, calls);
}

enum err write_read_more(struct store_write *write, struct calls *calls)
{
	if (idempotency_knows(write))
		return idempotency_read_more(write, calls);
	return write->steps->read_more ? write->steps->read_more(write, calls) : OK;
}

void write_init(struct store_write *write, struct store *store)
{
	write->store = store;
	write->faults_before = write->faults->count;
	write->faults_last = write->faults->last;
	write_start_afresh(write);
}

void write_start_afresh(struct store_write *write)
{
	write->now = clock_now(write->store->config.clock);
	write->err = OK;
	write->value = (struct slice){NULL, 0};
	write->due_at = TIME_NONE;
	*write->faults_last = NULL;
	write->faults->last = write->faults_last;
	write->faults->count = write->faults_before;
}
