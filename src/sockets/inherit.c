/* SPDX-License-Identifier: MIT */
/* Sockets that the program that started docket has opened, by the protocol of sd_listen_fds(3):
 * systemd passes them as the descriptors from 3 on. */
#include "listen_private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#define FIRST_FD 3

/* Reads a decimal number from 0 to `max`. -1: it is none. */
static long number_read(const char *text, long max)
{
	size_t digits = strspn(text, "0123456789");
	long number = strtol(text, NULL, 10);

	return digits && digits <= 10 && !text[digits] && number <= max ? number : -1;
}

static bool option_is(int fd, int name, int wanted)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 && value == wanted;
}

static bool is_tcp_listener(int fd)
{
	return (option_is(fd, SO_DOMAIN, AF_INET) || option_is(fd, SO_DOMAIN, AF_INET6)) &&
	       option_is(fd, SO_TYPE, SOCK_STREAM) && option_is(fd, SO_PROTOCOL, IPPROTO_TCP) &&
	       option_is(fd, SO_ACCEPTCONN, 1);
}

/* Takes one descriptor; `name` may be empty. */
static enum err listen_take(struct listen_addresses *addresses, int fd, struct slice name,
			    struct buf *why)
{
	struct listen_address *address = &addresses->list[addresses->count];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !is_tcp_listener(fd)) {
		buf_printf(why, "descriptor %d (%.*s) is %s", fd, (int)name.len, name.ptr,
			   flags < 0 ? "not open" : "not a TCP socket that listens");
		return ERR_INVALID;
	}
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		buf_printf(why, "descriptor %d (%.*s) cannot be used: %s", fd, (int)name.len,
			   name.ptr, strerror(errno));
		return ERR_INVALID;
	}
	*address = (struct listen_address){.item = addresses->count++, .fd = fd};
	return OK;
}

/* `names` has a name for each descriptor, with colons between them; NULL: they have none. */
static enum err listen_take_all(struct listen_addresses *addresses, int count, const char *names,
				struct buf *why)
{
	const char *at = names ? names : "";
	enum err err = OK;

	for (int i = 0; i < count && !err; i++) {
		size_t len = strcspn(at, ":");

		if (names && (at[len] == ':') != (i + 1 < count)) {
			buf_printf(why, "LISTEN_FDNAMES must have %d names; got \"%s\"", count,
				   names);
			return ERR_INVALID;
		}
		err = listen_take(addresses, FIRST_FD + i, (struct slice){at, len}, why);
		at += len + (at[len] == ':');
	}
	return err;
}

enum err listen_inherit(struct listen_addresses **addresses_out, struct buf *why)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	struct listen_addresses *addresses;
	long count;
	enum err err;

	if (!pid || !fds || number_read(pid, INT32_MAX) != getpid() || strcmp(fds, "0") == 0)
		return ERR_NOT_FOUND;
	count = number_read(fds, LISTEN_ADDRESSES_MAX);
	if (count < 0) {
		buf_printf(why, "LISTEN_FDS must be a number up to %d; got \"%s\"",
			   LISTEN_ADDRESSES_MAX, fds);
		return ERR_INVALID;
	}
	addresses = calloc(1, sizeof(*addresses));
	if (!addresses)
		return ERR_NOMEM;
	addresses->inherited = true;
	err = listen_take_all(addresses, (int)count, getenv("LISTEN_FDNAMES"), why);
	if (err) {
		free(addresses);
		return err;
	}
	listen_name_bound(addresses);
	*addresses_out = addresses;
	return OK;
}
