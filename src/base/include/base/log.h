/* SPDX-License-Identifier: MIT */
/* Messages for whoever runs the program, on standard error, a line each; and lines of other forms
 * that many threads write.
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

/* How log_line() writes from now on; LOG_TEXT at the start. Call it before there are threads. */
void log_set_format(enum log_format format);
enum log_format log_format(void);

/* Writes the message in one write(2), so that threads do not mix their lines. A message of over
 * 1,000 bytes is cut. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where lines go that must not hold up who writes them. */
struct log_stream {
	int fd;
	bool may_block; /* a pipe, a socket or a terminal, whose reader may have stopped */
	atomic_ulong lost;
};

void log_stream_init(struct log_stream *stream, int fd);

/* Writes a line, its newline included and of at most PIPE_BUF bytes, in one write(2). What cannot
 * be written at once is dropped; log_line() says how much as soon as there is room again. */
void log_stream_write(struct log_stream *stream, struct slice line);

#endif
