/* SPDX-License-Identifier: MIT */
/* The Idempotency-Key of a create. */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "store/state.h"

/* Lists the key of the write, if it has one, as in progress; idempotency_end() must follow.
 * ERR_IN_PROGRESS: it is listed already. */
enum err idempotency_begin(struct keys *keys, struct store_write *write);
void idempotency_end(struct keys *keys, struct store_write *write);
/* In step one: reads the first answer of the key. */
enum err idempotency_read(struct store_write *write, struct calls *calls);
/* After that: whether the key was used before, within the last day. */
bool idempotency_knows(const struct store_write *write);
/* After that: reads the records of the first answer, if there are several. */
enum err idempotency_read_more(struct store_write *write, struct calls *calls);
/* In step two: true if the key was used before. The write then has the first answer, or a fault of
 * the key alone, and decide() is not called. */
bool idempotency_answers(struct store_write *write);
/* At the end of step two: stores the key with the account's last change number. */
enum err idempotency_add(struct store_write *write, struct calls *calls);

#endif
