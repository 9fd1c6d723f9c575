/* SPDX-License-Identifier: MIT */
/* Messages for whoever runs the program, on standard error, a line each. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Writes "docket: " and the message in one write(2), so that threads do not mix their lines. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
