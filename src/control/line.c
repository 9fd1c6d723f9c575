/* SPDX-License-Identifier: MIT */
/* The control socket's address, and the lines that go over it. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* What is sent or received, with room for a descriptor. */
struct packet {
	struct iovec part;
	alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static void packet_init(struct packet *packet, void *bytes, size_t len, bool has_file)
{
	*packet = (struct packet){.part = {bytes, len}};
	packet->message = (struct msghdr){
		.msg_iov = &packet->part,
		.msg_iovlen = 1,
		.msg_control = has_file ? packet->room : NULL,
		.msg_controllen = has_file ? sizeof(packet->room) : 0,
	};
}

/* Like recv(2). */
static ssize_t part_receive(int fd, char *part, size_t size, int *file_out)
{
	struct packet packet;
	const struct cmsghdr *header;
	ssize_t got;

	packet_init(&packet, part, size, file_out != NULL);
	got = recvmsg(fd, &packet.message, MSG_CMSG_CLOEXEC);
	header = file_out && got > 0 ? CMSG_FIRSTHDR(&packet.message) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (*file_out >= 0)
			close(*file_out);
		memcpy(file_out, CMSG_DATA(header), sizeof(int));
	}
	return got;
}

/* Like send(2). */
static ssize_t part_send(int fd, char *part, size_t len, int file)
{
	struct packet packet;

	packet_init(&packet, part, len, file >= 0);
	if (file >= 0) {
		struct cmsghdr *header = CMSG_FIRSTHDR(&packet.message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &file, sizeof(int));
	}
	return sendmsg(fd, &packet.message, MSG_NOSIGNAL);
}

bool control_receive(int fd, size_t most, control_may_wait_fn *may_wait, const void *context,
		     struct buf *line, int *file_out)
{
	int64_t began = monotonic_ms();
	char part[4096];

	while (line->len <= most && !line->failed && (!may_wait || may_wait(context, began))) {
		ssize_t got = part_receive(fd, part, sizeof(part), file_out);

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

bool control_send(int fd, const json_t *object, int file)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, sent = 0;

	if (text)
		text[len++] = '\n'; /* instead of its NUL */
	while (sent < len) {
		ssize_t more = part_send(fd, text + sent, len - sent, sent ? -1 : file);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			break;
		sent += (size_t)more;
	}
	free(text);
	return len && sent == len;
}
