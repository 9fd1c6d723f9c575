/* SPDX-License-Identifier: MIT */
/* The control socket's address, and the lines that go over it. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "control_private.h"

#define CONTROL_SOCKET "docket.sock" /* in a data folder */
#define NAME_LEN_MAX 64              /* what an address has room for */

int control_open_folder(const struct settings *settings, const char **name_out)
{
	const char *path = settings->text[SETTING_CONTROL_SOCKET];
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	char *folder;
	int fd;

	*name_out = path ? name : CONTROL_SOCKET;
	if (!path)
		return open(settings->text[SETTING_DATA], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!*name || strlen(name) > NAME_LEN_MAX) {
		errno = *name ? ENAMETOOLONG : EISDIR;
		return -1;
	}
	folder = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	fd = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	free(folder);
	return fd;
}

struct sockaddr_un control_address(int folder, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, name);
	return address;
}

bool control_receive(int fd, size_t most, control_may_wait_fn *may_wait, const void *context,
		     struct buf *line)
{
	int64_t began = monotonic_ms();
	char part[4096];

	while (line->len <= most && !line->failed && (!may_wait || may_wait(context, began))) {
		ssize_t got = recv(fd, part, sizeof(part), 0);

		if (got < 0 && (errno == EINTR || (may_wait && errno == EAGAIN)))
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
		text[len++] = '\n'; /* instead of its NUL */
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
