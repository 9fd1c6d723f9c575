/* SPDX-License-Identifier: MIT */
/* Messages for whoever runs the program, on standard error, a line each; and lines of other forms
 * that many threads write. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/slice.h"

/* Writes "docket: " and the message in one write(2), so that threads do not mix their lines. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where lines go that must not hold up who writes them. */
struct log_stream {
	int fd;
	bool may_block; /* a pipe, a socket or a terminal, whose reader may have stopped */
	atomic_ulong lost;
};

void log_stream_init(struct log_stream *stream, int fd);

/* Writes a line, its newline included and of at most PIPE_BUF bytes, in one write(2). What cannot
 * be written at once is lost; how much was is said by log_line() as soon as there is room again. */
void log_stream_write(struct log_stream *stream, struct slice line);

#endif
