/* SPDX-License-Identifier: MIT */
/* Keys that a client gave a create, so that it can send it again. */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "store/state.h"

/* ERR_IN_PROGRESS where the key is already; else idempotency_end() must follow. */
enum err idempotency_begin(struct keys *keys, struct store_write *write);
void idempotency_end(struct keys *keys, struct store_write *write);
/* For step one: reads what the key was used for. */
enum err idempotency_read(struct store_write *write, struct calls *calls);
/* When that was read: whether there is a key that was used within its time. */
bool idempotency_knows(const struct store_write *write);
/* Then reads the records of its answer, where these are many. */
enum err idempotency_read_more(struct store_write *write, struct calls *calls);
/* For step two: whether the write is over by that, with the first answer or with one fault, the
 * key's. */
bool idempotency_answers(struct store_write *write);
/* Behind a step two that stored something, under the last change number. */
enum err idempotency_add(struct store_write *write, struct calls *calls);

#endif
