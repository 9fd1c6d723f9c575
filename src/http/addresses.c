/* SPDX-License-Identifier: MIT */
/* Counts connections by place, in a table of lists. */
#include "addresses.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/ip.h"

struct address {
	uint64_t place; /* never 0 */
	unsigned count;
	struct address *next;
};

/* The network of an address, whose other half is zeroes, as one number; 0: not counted. */
static uint64_t place_of(const struct sockaddr *from)
{
	struct ip ip = ip_of_socket(from), network = ip_network(&ip);
	uint64_t place = 0;

	for (size_t i = 0; i < 8; i++)
		place = place << 8 | (network.bytes[i] | network.bytes[i + 8]);
	/* ::1 has 64 zeroes in front; the other is ::ffff:127.0.0.0/104. */
	return place >> 24 == 0xffff7f ? 0 : place;
}

static size_t bucket_of(const struct addresses *addresses, uint64_t place)
{
	uint64_t mixed = (place ^ addresses->seed) * UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 29) ^ addresses->seed) * UINT64_C(0xbf58476d1ce4e5b9);
	return mixed >> 54; /* of ADDRESS_BUCKETS */
}

static struct address *find(const struct addresses *addresses, uint64_t place)
{
	struct address *at = addresses->buckets[bucket_of(addresses, place)];

	while (at && at->place != place)
		at = at->next;
	return at;
}

void addresses_init(struct addresses *addresses, unsigned limit)
{
	*addresses = (struct addresses){.limit = limit};
	/* Without random numbers the seed is 0, and the table only slower for who wants it so. */
	if (getrandom(&addresses->seed, sizeof(addresses->seed), 0) < 0)
		addresses->seed = 0;
}

void addresses_release(struct addresses *addresses)
{
	for (size_t i = 0; i < ADDRESS_BUCKETS; i++) {
		struct address *at = addresses->buckets[i];

		while (at) {
			struct address *next = at->next;

			free(at);
			at = next;
		}
		addresses->buckets[i] = NULL;
	}
}

bool addresses_have_room(const struct addresses *addresses, const struct sockaddr *from)
{
	uint64_t place = addresses->limit ? place_of(from) : 0;
	const struct address *found = place ? find(addresses, place) : NULL;

	return !found || found->count < addresses->limit;
}

struct address *addresses_enter(struct addresses *addresses, const struct sockaddr *from)
{
	uint64_t place = addresses->limit ? place_of(from) : 0;
	struct address *found = place ? find(addresses, place) : NULL;
	struct address **bucket;

	if (!place)
		return NULL;
	if (!found) {
		found = calloc(1, sizeof(*found));
		if (!found)
			return NULL;
		bucket = &addresses->buckets[bucket_of(addresses, place)];
		found->place = place;
		found->next = *bucket;
		*bucket = found;
	}
	found->count++;
	return found;
}

void addresses_leave(struct addresses *addresses, struct address *address)
{
	struct address **at;

	if (!address || --address->count)
		return;
	at = &addresses->buckets[bucket_of(addresses, address->place)];
	while (*at != address)
		at = &(*at)->next;
	*at = address->next;
	free(address);
}
