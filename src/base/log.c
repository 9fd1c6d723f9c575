/* SPDX-License-Identifier: MIT */
/* Messages on standard error. */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_object.h"

#define MESSAGE_BYTES 1000

static enum log_format current_format = LOG_TEXT;

void log_set_format(enum log_format format)
{
	current_format = format;
}

enum log_format log_format(void)
{
	return current_format;
}

static void write_text(const char *message)
{
	char line[MESSAGE_BYTES + 16];
	int len = snprintf(line, sizeof(line), "docket: %s\n", message);

	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* there is nowhere else to report it */
}

static void write_object(const char *message)
{
	struct log_object object;
	struct slice line;

	log_object_open(&object);
	log_put_time(&object, "time", system_ms());
	log_put_text(&object, "message", slice_of(message), MESSAGE_BYTES);
	line = log_object_close(&object);
	if (write(STDERR_FILENO, line.ptr, line.len) < 0)
		return;
}

void log_line(const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (current_format == LOG_JSON)
		write_object(message);
	else
		write_text(message);
}

void log_stream_init(struct log_stream *stream, int fd)
{
	struct stat status;

	stream->fd = fd;
	stream->may_block = fstat(fd, &status) == 0 && !S_ISREG(status.st_mode);
	atomic_init(&stream->lost, 0);
}

/* A pipe that is ready takes PIPE_BUF bytes. If two threads find the last room at the same time,
 * one of them waits in write(2). O_NONBLOCK would prevent that, but it would apply to every process
 * that has the same pipe or terminal. */
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
		log_line("%lu lines of the log were dropped: nobody read them", lost);
	else
		atomic_fetch_add(&stream->lost, lost);
}
