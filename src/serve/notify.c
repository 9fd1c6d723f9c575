/* SPDX-License-Identifier: MIT */
/* Tells systemd about the process, by the protocol of sd_notify(3): a datagram of lines NAME=value
 * to the socket that NOTIFY_SOCKET names. libsystemd would load six more libraries at every start
 * of every command, for these few lines. */
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* False: errno says why. */
static bool notify_address(const char *name, struct sockaddr_un *at_out, socklen_t *len_out)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(at_out->sun_path)) {
		errno = EAFNOSUPPORT;
		return false;
	}
	*at_out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(at_out->sun_path, name, len);
	if (name[0] == '@')
		at_out->sun_path[0] = '\0'; /* a name that is no path */
	*len_out = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

void notify(const char *format, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at;
	socklen_t at_len;
	char text[1024];
	va_list values;
	int fd;

	if (!name)
		return;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !notify_address(name, &at, &at_len) ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&at, at_len) < 0)
		log_line("cannot write to NOTIFY_SOCKET, which is \"%s\": %s", name,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
}

int64_t notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long us;
	char *end;

	if (!text || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	us = strtoll(text, &end, 10);
	if (errno || *end || us < 2000) {
		log_line("WATCHDOG_USEC must be a number of microseconds, 2000 or more; got \"%s\"",
			 text);
		return 0;
	}
	return us / 1000;
}
