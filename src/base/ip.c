/* SPDX-License-Identifier: MIT */
/* IP addresses. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct ip *ip)
{
	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

static struct ip ip_from_v4(const struct in_addr *address)
{
	struct ip ip;

	memcpy(ip.bytes, mapped, sizeof(mapped));
	memcpy(ip.bytes + sizeof(mapped), address, 4);
	return ip;
}

struct ip ip_of_socket(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct ip ip = {{0}};

	if (address && address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ip_from_v4(&v4.sin_addr);
	}
	if (address && address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		memcpy(ip.bytes, &v6.sin6_addr, sizeof(ip.bytes));
	}
	return ip;
}

bool ip_parse(struct slice text, struct ip *ip_out)
{
	char copy[IP_TEXT_MAX + 1];
	struct in_addr v4;
	struct in6_addr v6;

	if (text.len == 0 || text.len > IP_TEXT_MAX || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1)
		*ip_out = ip_from_v4(&v4);
	else if (inet_pton(AF_INET6, copy, &v6) == 1)
		memcpy(ip_out->bytes, &v6, sizeof(ip_out->bytes));
	else
		return false;
	return true;
}

size_t ip_write(const struct ip *ip, char text[IP_TEXT_MAX + 1])
{
	size_t len = 0;

	if (!is_v4(ip)) {
		inet_ntop(AF_INET6, ip->bytes, text, IP_TEXT_MAX + 1);
		return strlen(text);
	}
	/* Every request writes an address, and inet_ntop() is slow: it uses printf. */
	for (size_t i = sizeof(mapped); i < sizeof(ip->bytes); i++) {
		unsigned part = ip->bytes[i];

		if (part >= 100)
			text[len++] = (char)('0' + part / 100);
		if (part >= 10)
			text[len++] = (char)('0' + part / 10 % 10);
		text[len++] = (char)('0' + part % 10);
		text[len++] = '.';
	}
	text[--len] = '\0';
	return len;
}

struct ip ip_network(const struct ip *ip)
{
	struct ip network = *ip;

	if (!is_v4(ip))
		memset(network.bytes + 8, 0, 8);
	return network;
}
