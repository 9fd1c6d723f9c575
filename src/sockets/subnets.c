/* SPDX-License-Identifier: MIT */
/* Counts connections by subnet, in a hash table. */
#include "sockets/sockets.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/ip.h"

struct subnet {
	uint64_t network; /* never 0 */
	unsigned count;
	struct subnet *next;
};

/* The network of an address as one number; 0: it is not counted. ip_network() has zeros in the
 * other half. */
static uint64_t network_number(const struct sockaddr *from)
{
	struct ip ip = ip_of_socket(from), half = ip_network(&ip);
	uint64_t network = 0;

	for (size_t i = 0; i < 8; i++)
		network = network << 8 | (half.bytes[i] | half.bytes[i + 8]);
	/* This machine: ::1, whose first 64 bits are 0, and ::ffff:127.0.0.0/104. */
	return network >> 24 == 0xffff7f ? 0 : network;
}

static size_t subnet_bucket(const struct subnets *subnets, uint64_t network)
{
	uint64_t mixed = (network ^ subnets->seed) * UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 29) ^ subnets->seed) * UINT64_C(0xbf58476d1ce4e5b9);
	return mixed >> 54; /* below SUBNET_BUCKETS */
}

static struct subnet *subnet_find(const struct subnets *subnets, uint64_t network)
{
	struct subnet *at = subnets->buckets[subnet_bucket(subnets, network)];

	while (at && at->network != network)
		at = at->next;
	return at;
}

void subnets_init(struct subnets *subnets, unsigned limit)
{
	*subnets = (struct subnets){.limit = limit};
	/* With the seed 0, only an attacker could make the table slow. */
	if (getrandom(&subnets->seed, sizeof(subnets->seed), 0) < 0)
		subnets->seed = 0;
}

void subnets_release(struct subnets *subnets)
{
	for (size_t i = 0; i < SUBNET_BUCKETS; i++) {
		struct subnet *at = subnets->buckets[i];

		while (at) {
			struct subnet *next = at->next;

			free(at);
			at = next;
		}
		subnets->buckets[i] = NULL;
	}
}

bool subnets_have_room(const struct subnets *subnets, const struct sockaddr *from)
{
	uint64_t network = subnets->limit ? network_number(from) : 0;
	const struct subnet *found = network ? subnet_find(subnets, network) : NULL;

	return !found || found->count < subnets->limit;
}

struct subnet *subnets_enter(struct subnets *subnets, const struct sockaddr *from)
{
	uint64_t network = subnets->limit ? network_number(from) : 0;
	struct subnet *found = network ? subnet_find(subnets, network) : NULL;
	struct subnet **bucket;

	if (!network)
		return NULL;
	if (!found) {
		found = calloc(1, sizeof(*found));
		if (!found)
			return NULL;
		bucket = &subnets->buckets[subnet_bucket(subnets, network)];
		found->network = network;
		found->next = *bucket;
		*bucket = found;
	}
	found->count++;
	return found;
}

void subnets_leave(struct subnets *subnets, struct subnet *subnet)
{
	struct subnet **at;

	if (!subnet || --subnet->count)
		return;
	at = &subnets->buckets[subnet_bucket(subnets, subnet->network)];
	while (*at != subnet)
		at = &(*at)->next;
	*at = subnet->next;
	free(subnet);
}
