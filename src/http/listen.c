/* SPDX-License-Identifier: MIT */
/* Listening sockets. Ours and not libmicrohttpd's, so that the port is known and a failure can be
 * explained. */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

#define BACKLOG 4096

static struct addrinfo *resolve(const char *address)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	const char *colon = strrchr(address, ':');
	struct addrinfo *found = NULL;
	char host[256];
	size_t len;

	if (!colon || colon == address || (size_t)(colon - address) >= sizeof(host))
		return NULL;
	len = (size_t)(colon - address);
	if (address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, address);
	if (strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1] ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return NULL;
	return getaddrinfo(host, colon + 1, &hints, &found) ? NULL : found;
}

static bool is_loopback(const struct addrinfo *info)
{
	if (info->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)info->ai_addr;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (info->ai_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)info->ai_addr;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return false;
}

enum err http_is_loopback(const char *address, bool *loopback_out)
{
	struct addrinfo *found = resolve(address);

	if (!found)
		return ERR_INVALID;
	*loopback_out = is_loopback(found);
	freeaddrinfo(found);
	return OK;
}

static void name_bound(int fd, char *bound_out, size_t size)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	char host[128], port[16];

	getsockname(fd, (struct sockaddr *)&at, &len);
	getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(bound_out, size, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

enum err listen_at(const char *address, int *socket_out, char *bound_out, size_t size,
		   struct buf *why)
{
	struct addrinfo *found = resolve(address);
	const int on = 1;
	int fd;

	if (!found) {
		buf_printf(why, "cannot listen at \"%s\": it must be ADDR:PORT or [ADDR]:PORT",
			   address);
		return ERR_INVALID;
	}
	fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG)) {
		buf_printf(why, "cannot listen at %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		freeaddrinfo(found);
		return ERR_IO;
	}
	freeaddrinfo(found);
	name_bound(fd, bound_out, size);
	*socket_out = fd;
	return OK;
}
