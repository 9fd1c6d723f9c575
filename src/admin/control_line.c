/* SPDX-License-Identifier: MIT */
/* The control socket's address, and the lines that go over it. */
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "control.h"

struct sockaddr_un control_address(int folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CONTROL_SOCKET,
		 folder);
	return address;
}

bool control_receive(int fd, size_t most, control_patience_fn *patience, const void *context,
		     struct buf *line)
{
	int64_t began = monotonic_ms();
	char part[4096];

	while (line->len <= most && !line->failed && (!patience || patience(context, began))) {
		ssize_t got = recv(fd, part, sizeof(part), 0);

		if (got < 0 && (errno == EINTR || (patience && errno == EAGAIN)))
			continue;
		if (got <= 0)
			return false;
		buf_add(line, part, (size_t)got);
		if (part[got - 1] == '\n')
			return !line->failed;
	}
	return false;
}

bool control_send(int fd, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, sent = 0;

	if (text)
		text[len++] = '\n'; /* in the place of its NUL */
	while (sent < len) {
		ssize_t more = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			break;
		sent += (size_t)more;
	}
	free(text);
	return len && sent == len;
}
