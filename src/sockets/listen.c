/* SPDX-License-Identifier: MIT */
/* Listening sockets. docket opens them itself, not libmicrohttpd. So there can be several, docket
 * can explain a failure, and it can close them before the connections. */
#include "listen_private.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/array.h"

#define BACKLOG 4096
/* How many bytes of answers the system takes from docket before it has sent them. By default it
 * takes up to 4 MiB for each client that does not read. Connections inherit the value. */
#define UNSENT (128 * 1024)
#define PORT_TRIES 20 /* tries to find a port that is free at every address */

/* The item "ADDR:PORT" of a list, taken apart. */
struct item {
	char host[256];
	char port[6];
};

static bool item_split(const char *text, size_t len, struct item *item_out)
{
	const char *colon = memrchr(text, ':', len);
	size_t host_len = colon ? (size_t)(colon - text) : 0;
	size_t port_len = colon ? len - host_len - 1 : 0;

	if (!host_len || host_len >= sizeof(item_out->host) || !port_len || port_len > 5)
		return false;
	snprintf(item_out->port, sizeof(item_out->port), "%.*s", (int)port_len, colon + 1);
	if (strspn(item_out->port, "0123456789") != port_len ||
	    strtol(item_out->port, NULL, 10) > 65535)
		return false;
	if (text[0] == '[' && text[host_len - 1] == ']') {
		text++;
		host_len -= 2;
	}
	snprintf(item_out->host, sizeof(item_out->host), "%.*s", (int)host_len, text);
	return host_len > 0;
}

static bool is_address_listed(const struct listen_addresses *addresses, const struct addrinfo *info)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->list[i].at_len == info->ai_addrlen &&
		    memcmp(&addresses->list[i].at, info->ai_addr, info->ai_addrlen) == 0)
			return true;
	return false;
}

static enum err listen_add_item(struct listen_addresses *addresses, size_t number, const char *text,
				size_t len, struct buf *why)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST,
	};
	struct addrinfo *found = NULL;
	struct item item;
	bool is_name;
	int code;

	if (!item_split(text, len, &item)) {
		buf_printf(why, "must be ADDR:PORT or [ADDR]:PORT; got \"%.*s\"", (int)len, text);
		return ERR_INVALID;
	}
	is_name = getaddrinfo(item.host, item.port, &hints, &found) != 0;
	hints.ai_flags &= ~AI_NUMERICHOST;
	code = is_name ? getaddrinfo(item.host, item.port, &hints, &found) : 0;
	if (code) {
		buf_printf(why, "names \"%s\", which has no address: %s", item.host,
			   gai_strerror(code));
		return ERR_INVALID;
	}
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		struct listen_address *address = &addresses->list[addresses->count];

		if (is_address_listed(addresses, at))
			continue;
		if (addresses->count == LISTEN_ADDRESSES_MAX) {
			buf_printf(why, "names more than %d addresses", LISTEN_ADDRESSES_MAX);
			freeaddrinfo(found);
			return ERR_INVALID;
		}
		*address = (struct listen_address){
			.item = number, .is_name = is_name, .at_len = at->ai_addrlen, .fd = -1};
		memcpy(&address->at, at->ai_addr, at->ai_addrlen);
		snprintf(address->text, sizeof(address->text), "%.*s", (int)len, text);
		addresses->count++;
	}
	freeaddrinfo(found);
	return OK;
}

enum err listen_read(const char *list, struct listen_addresses **addresses_out, struct buf *why)
{
	struct listen_addresses *addresses = calloc(1, sizeof(*addresses));
	enum err err = OK;
	size_t number = 0;

	if (!addresses)
		return ERR_NOMEM;
	for (const char *at = list; at && !err; number++) {
		const char *comma = strchrnul(at, ',');

		err = listen_add_item(addresses, number, at, (size_t)(comma - at), why);
		at = *comma ? comma + 1 : NULL;
	}
	if (err)
		free(addresses);
	else
		*addresses_out = addresses;
	return err;
}

void listen_free(struct listen_addresses *addresses)
{
	free(addresses);
}

static bool is_loopback(const struct sockaddr_storage *at)
{
	const struct sockaddr_in *in = (const void *)at;
	const struct sockaddr_in6 *in6 = (const void *)at;

	if (at->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return at->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

const char *listen_public(const struct listen_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (!is_loopback(&addresses->list[i].at))
			return addresses->list[i].text;
	return NULL;
}

/* The port of an address of either family. */
static in_port_t *address_port(struct sockaddr_storage *at)
{
	_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
			       offsetof(struct sockaddr_in6, sin6_port),
		       "one place of the port");
	return &((struct sockaddr_in *)(void *)at)->sin_port;
}

/* Whether an IPv6 socket must not accept IPv4: there is an IPv4 address with the same port in the
 * list. */
static bool is_for_ipv6_alone(struct listen_addresses *addresses, struct sockaddr_storage *at)
{
	for (size_t i = 0; i < addresses->count; i++) {
		struct sockaddr_storage *other = &addresses->list[i].at;

		if (other->ss_family == AF_INET && *address_port(other) == *address_port(at))
			return at->ss_family == AF_INET6;
	}
	return false;
}

static bool socket_tune(int fd)
{
	const int unsent = UNSENT;

	return !setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

/* Opens one address. `port` replaces port 0. False: errno says why. */
static bool listen_open_one(struct listen_addresses *addresses, struct listen_address *address,
			    in_port_t port)
{
	struct sockaddr_storage at = address->at;
	const int on = 1, alone = is_for_ipv6_alone(addresses, &at);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why;

	if (fd < 0)
		return false;
	if (*address_port(&at) == 0)
		*address_port(&at) = port;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (alone && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    !socket_tune(fd) || bind(fd, (const struct sockaddr *)&at, address->at_len) ||
	    listen(fd, BACKLOG)) {
		why = errno;
		close(fd);
		errno = why;
		return false;
	}
	address->fd = fd;
	return true;
}

static in_port_t socket_port(int fd)
{
	struct sockaddr_in6 at = {0}; /* the larger one */
	socklen_t len = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &len) ? 0 : at.sin6_port;
}

static void listen_explain(const struct listen_address *address, struct buf *why)
{
	buf_printf(why, "cannot listen at %s: %s", address->text, strerror(address->failed));
	if (address->failed == EACCES)
		buf_add_text(why, "; for a port below 1024 docket needs the capability "
				  "CAP_NET_BIND_SERVICE (of systemd: AmbientCapabilities=), or "
				  "listen on a higher port behind a proxy");
}

/* Whether another address of the same name may do instead. */
static bool may_be_left_out(const struct listen_address *address)
{
	return address->is_name &&
	       (address->failed == EADDRNOTAVAIL || address->failed == EAFNOSUPPORT);
}

static bool item_is_open(const struct listen_addresses *addresses, size_t item)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->list[i].item == item && addresses->list[i].fd >= 0)
			return true;
	return false;
}

/* Tries every address once. NULL: all are open; else the address that failed. `again_out` is true
 * if the free port of an earlier address is taken at this one. */
static const struct listen_address *listen_open_all(struct listen_addresses *addresses,
						    bool *again_out)
{
	in_port_t shared = 0;

	*again_out = false;
	for (size_t i = 0; i < addresses->count; i++) {
		struct listen_address *address = &addresses->list[i];
		bool any_port = *address_port(&address->at) == 0;

		if (listen_open_one(addresses, address, shared)) {
			if (any_port)
				shared = socket_port(address->fd);
			continue;
		}
		address->failed = errno;
		if (may_be_left_out(address))
			continue;
		*again_out = any_port && shared && address->failed == EADDRINUSE;
		return address;
	}
	for (size_t i = 0; i < addresses->count; i++)
		if (!item_is_open(addresses, addresses->list[i].item))
			return &addresses->list[i];
	return NULL;
}

void listen_name_bound(struct listen_addresses *addresses)
{
	size_t count = 0;

	for (size_t i = 0; i < addresses->count; i++) {
		struct listen_address *address = &addresses->list[count];
		char host[128], port[16];

		*address = addresses->list[i];
		if (address->fd < 0)
			continue;
		address->at_len = sizeof(address->at);
		getsockname(address->fd, (struct sockaddr *)&address->at, &address->at_len);
		getnameinfo((struct sockaddr *)&address->at, address->at_len, host, sizeof(host),
			    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
		snprintf(address->text, sizeof(address->text),
			 address->at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
		count++;
	}
	addresses->count = count;
}

static enum err listen_tune_all(const struct listen_addresses *addresses, struct buf *why)
{
	for (size_t i = 0; i < addresses->count; i++) {
		if (socket_tune(addresses->list[i].fd))
			continue;
		buf_printf(why, "cannot listen at %s: %s", addresses->list[i].text,
			   strerror(errno));
		return ERR_IO;
	}
	return OK;
}

enum err listen_open(struct listen_addresses *addresses, struct buf *why)
{
	const struct listen_address *failed = NULL;
	bool again = true;

	if (addresses->inherited)
		return listen_tune_all(addresses, why);
	if (addresses->count && addresses->list[0].fd >= 0)
		return OK;
	for (int i = 0; again && i < PORT_TRIES; i++) {
		failed = listen_open_all(addresses, &again);
		if (!failed) {
			listen_name_bound(addresses);
			return OK;
		}
		listen_close(addresses);
	}
	listen_explain(failed, why);
	return ERR_IO;
}

void listen_refuse_new(const struct listen_addresses *addresses)
{
	/* Drops packets with SYN and without ACK, by the flags in the TCP header. So a client
	 * either has a connection, which will be accepted, or is refused when the socket is
	 * closed. */
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog filter = {.len = COUNT_OF(steps), .filter = steps};

	/* Without the filter, a client that connects right before the close is reset. */
	for (size_t i = 0; !addresses->inherited && i < addresses->count; i++)
		(void)setsockopt(addresses->list[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
				 sizeof(filter));
}

void listen_close(struct listen_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		if (addresses->list[i].fd >= 0)
			close(addresses->list[i].fd);
		addresses->list[i].fd = -1;
	}
}
