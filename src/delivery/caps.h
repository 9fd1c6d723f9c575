/* SPDX-License-Identifier: MIT */
/* How many messages may be sent in a minute, in all and for one account. */
#ifndef DELIVERY_CAPS_H
#define DELIVERY_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caps_account {
	int64_t account_id;
	unsigned used;
};

/* Zeroed but for the limits: nothing was sent. A limit of 0 is none. */
struct caps {
	unsigned per_minute, per_account;
	int64_t until_ms; /* the end of this minute, by monotonic_ms() */
	unsigned used;
	struct caps_account *accounts; /* that have used some of it, by their ids */
	size_t count, room;
	int64_t *full; /* the accounts that have used all of it */
	size_t full_count, full_room;
};

void caps_release(struct caps *caps);

/* How many messages may be begun now, at most `most`. Begins a new minute if one is over. */
size_t caps_left(struct caps *caps, int64_t now_ms, size_t most);

/* Counts a message of the account that begins now. False: a limit is reached, and nothing is
 * counted. If memory runs out, the message is not counted for the account. */
bool caps_take(struct caps *caps, int64_t now_ms, int64_t account_id);

#endif
