/* SPDX-License-Identifier: MIT */
/* Reads the addresses of a token and compares them with a client's. */
#include "accounts/token_addresses.h"

#include "base/url.h"

#define IP_BITS 128
#define IP_V4_BITS 32

struct network {
	struct ip ip;
	unsigned bits; /* of an IPv4 network too, as its address is stored: 96 to 128 */
};

/* Reads the decimal number of bits behind the slash. */
static bool bits_read(struct slice text, unsigned most, unsigned *bits_out)
{
	unsigned bits = 0;

	if (text.len == 0 || text.len > 3)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		bits = bits * 10 + (unsigned)(text.ptr[i] - '0');
	}
	*bits_out = bits;
	return bits <= most;
}

static bool network_read(struct slice entry, struct network *network_out)
{
	const char *slash = entry.len ? memchr(entry.ptr, '/', entry.len) : NULL;
	struct slice address = {entry.ptr, slash ? (size_t)(slash - entry.ptr) : entry.len};
	bool is_v6 = address.len && memchr(address.ptr, ':', address.len);
	unsigned most = is_v6 ? IP_BITS : IP_V4_BITS, bits = most;
	struct slice rest = {slash ? slash + 1 : NULL, slash ? entry.len - address.len - 1 : 0};

	if (!ip_parse(address, &network_out->ip) || (slash && !bits_read(rest, most, &bits)))
		return false;
	network_out->bits = IP_BITS - most + bits;
	return true;
}

static bool network_has(const struct network *network, const struct ip *ip)
{
	static const unsigned char v4[12] = {[10] = 0xff, [11] = 0xff};
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8, mask = 0xff00u >> rest & 0xff;

	if (network->bits < IP_BITS - IP_V4_BITS && memcmp(ip->bytes, v4, sizeof(v4)) == 0)
		return false;
	return memcmp(network->ip.bytes, ip->bytes, whole) == 0 &&
	       (!rest || ((network->ip.bytes[whole] ^ ip->bytes[whole]) & mask) == 0);
}

bool token_addresses_are_valid(const char *list, struct slice *wrong_out)
{
	struct network network;
	struct slice entry;
	size_t count = 0;

	while (url_list_next(&list, &entry)) {
		if (!network_read(entry, &network) || ++count > TOKEN_ADDRESSES_MAX) {
			*wrong_out = entry;
			return false;
		}
	}
	return true;
}

bool token_addresses_have(struct slice list, const struct ip *ip)
{
	const char *rest = list.ptr;
	struct network network;
	struct slice entry;

	if (!list.len)
		return true;
	while (url_list_next(&rest, &entry))
		if (network_read(entry, &network) && network_has(&network, ip))
			return true;
	return false;
}
