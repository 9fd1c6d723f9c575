/* SPDX-License-Identifier: MIT */
/* Counts messages in windows of a minute. An account is searched by bisection: a hosting company
 * has thousands of them, and a minute few. */
#include "caps.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define FIRST_ROOM 64

void caps_release(struct caps *caps)
{
	free(caps->accounts);
	free(caps->full);
	*caps = (struct caps){0};
}

size_t caps_left(struct caps *caps, int64_t now_ms, size_t most)
{
	size_t left;

	if (now_ms >= caps->until_ms) {
		caps->until_ms = now_ms + MINUTE_MS;
		caps->used = 0;
		caps->count = caps->full_count = 0;
	}
	if (!caps->per_minute)
		return most;
	left = caps->per_minute > caps->used ? caps->per_minute - caps->used : 0;
	return left < most ? left : most;
}

/* Makes room for one more. */
static bool list_grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*list, more * size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

/* Where the account is, or belongs. */
static size_t account_place(const struct caps *caps, int64_t account_id)
{
	size_t low = 0, high = caps->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (caps->accounts[middle].account_id < account_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: out of memory. */
static struct caps_account *caps_find_account(struct caps *caps, int64_t account_id)
{
	size_t place = account_place(caps, account_id);
	struct caps_account *at;

	if (place < caps->count && caps->accounts[place].account_id == account_id)
		return &caps->accounts[place];
	if (!list_grow((void **)&caps->accounts, caps->count, &caps->room, sizeof(*at)))
		return NULL;
	at = &caps->accounts[place];
	memmove(at + 1, at, (caps->count - place) * sizeof(*at));
	*at = (struct caps_account){account_id, 0};
	caps->count++;
	return at;
}

bool caps_take(struct caps *caps, int64_t now_ms, int64_t account_id)
{
	struct caps_account *account;

	if (!caps_left(caps, now_ms, 1))
		return false;
	if (caps->per_account) {
		account = caps_find_account(caps, account_id);
		if (account && account->used >= caps->per_account)
			return false;
		if (account && ++account->used == caps->per_account &&
		    list_grow((void **)&caps->full, caps->full_count, &caps->full_room,
			      sizeof(*caps->full)))
			caps->full[caps->full_count++] = account_id;
	}
	caps->used++;
	return true;
}
