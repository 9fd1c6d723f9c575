/* SPDX-License-Identifier: MIT */
/* The steps of a write. */
#include "steps.h"

#include "idempotency.h"

enum err read_nothing(struct store_write *write, struct calls *calls)
{
	(void)write;
	(void)calls;
	return OK;
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

void write_start_afresh(struct store_write *write)
{
	write->err = OK;
	write->value = (struct slice){NULL, 0};
	*write->faults_last = NULL;
	write->faults->last = write->faults_last;
	write->faults->count = write->faults_before;
}
