/* SPDX-License-Identifier: MIT */
/* Tells systemd about the process. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends lines NAME=value of sd_notify(3), such as "READY=1\nSTATUS=…", together at most 1,023
 * bytes. Does nothing if NOTIFY_SOCKET is not set. An error is logged. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often systemd expects WATCHDOG=1, at the least, in milliseconds; 0: it does not. A wrong
 * WATCHDOG_USEC is logged, and counts as none. */
int64_t notify_watchdog_ms(void);

#endif
