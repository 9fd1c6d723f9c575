/* SPDX-License-Identifier: MIT */
/* Messages on standard error. */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

void log_line(const char *format, ...)
{
	char line[1024];
	size_t len;
	va_list args;
	int more;

	len = (size_t)snprintf(line, sizeof(line), "docket: ");
	va_start(args, format);
	more = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	if (more > 0)
		len += (size_t)more;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* there is nowhere left to say it */
}

void log_stream_init(struct log_stream *stream, int fd)
{
	struct stat status;

	stream->fd = fd;
	stream->may_block = fstat(fd, &status) == 0 && !S_ISREG(status.st_mode);
	atomic_init(&stream->lost, 0);
}

/* A pipe that is ready takes PIPE_BUF bytes. Two threads can still meet at its last room, and then
 * one of them waits: O_NONBLOCK would say so, but it would hold for every process that has the
 * same pipe or terminal. */
static bool has_room(const struct log_stream *stream)
{
	struct pollfd poll_for = {.fd = stream->fd, .events = POLLOUT};

	return !stream->may_block || (poll(&poll_for, 1, 0) == 1 && poll_for.revents == POLLOUT);
}

void log_stream_write(struct log_stream *stream, struct slice line)
{
	unsigned long lost;

	if (!has_room(stream) || write(stream->fd, line.ptr, line.len) != (ssize_t)line.len) {
		atomic_fetch_add_explicit(&stream->lost, 1, memory_order_relaxed);
		return;
	}
	if (atomic_load_explicit(&stream->lost, memory_order_relaxed) == 0)
		return;
	lost = atomic_exchange(&stream->lost, 0);
	if (lost && has_room(stream))
		log_line("%lu lines of the log were lost: nobody read them", lost);
	else
		atomic_fetch_add(&stream->lost, lost);
}
