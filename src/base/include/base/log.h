/* SPDX-License-Identifier: MIT */
/* Messages to the operator, on standard error, one line each. Also streams of lines that many
 * threads write.
 *
 *     log_line("cannot read %s: %s", path, strerror(errno));
 *
 * writes `docket: cannot read x: …`, or {"time":"…","message":"cannot read x: …"}. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/slice.h"

enum log_format {
	LOG_TEXT, /* for a person */
	LOG_JSON, /* for a program: each line is an object (RFC 8259) */
};

/* Sets the form in which log_line() writes; LOG_TEXT is the default. Call it before any thread
 * starts. */
void log_set_format(enum log_format format);
enum log_format log_format(void);

/* Writes the message in one write(2), so that threads do not mix their lines. A message is cut
 * after 999 bytes. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A stream of lines. A slow reader must not hold up the threads that write them. */
struct log_stream {
	int fd;
	bool may_block; /* a pipe, a socket or a terminal, whose reader may have stopped */
	atomic_ulong lost;
};

void log_stream_init(struct log_stream *stream, int fd);

/* Writes a line of at most PIPE_BUF bytes, newline included, in one write(2). A line that cannot be
 * written at once is dropped. As soon as there is room again, log_line() says how many were
 * dropped. */
void log_stream_write(struct log_stream *stream, struct slice line);

#endif
