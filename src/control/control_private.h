/* SPDX-License-Identifier: MIT */
/* What goes over the control socket. A command is sent as one line of JSON; its result is sent back
 * as one line:
 *
 *     {"command": "token add", "argument": "ci", "settings": {"account": "main"},
 *      "origins": {"account": "DOCKET_ACCOUNT"}, "token_hash": "…",
 *      "sudo_username": "jane"}
 *     {"status": 0, "out": "", "err": ""}
 *
 * Before that, lines may tell how far a long command is:
 *
 *     {"what": "pages", "done": 512, "total": 4096}
 *
 * With the result of "backup" comes the descriptor of the copy: the other process writes it where
 * it goes, because docket may be confined to its own folders.
 *
 * A command is carried out completely or not at all, because it is one write of the store. */
#ifndef CONTROL_CONTROL_PRIVATE_H
#define CONTROL_CONTROL_PRIVATE_H

#include <sys/un.h>

#include "base/buf.h"
#include "control/control.h"

/* Opens the folder of the socket; `name_out` is the socket's name there. -1 and errno. */
int control_open_folder(const struct settings *settings, const char **name_out);

/* Returns the socket's address. It names the folder by its descriptor, because the folder's path
 * may be too long for an address. */
struct sockaddr_un control_address(int folder, const char *name);

/* Whether to wait longer for a line. The wait began at `began`, by monotonic_ms(). */
typedef bool control_may_wait_fn(const void *context, int64_t began);

/* Reads a line of at most `most` bytes. If `may_wait` is NULL, it waits without a limit. Otherwise
 * the socket must have a timeout. `may_wait` is called before each wait. If a descriptor comes with
 * the line, sets *file_out, and the caller closes it; without `file_out` it is dropped. */
bool control_receive(int fd, size_t most, control_may_wait_fn *may_wait, const void *context,
		     struct buf *line, int *file_out);

/* Sends the object and a newline, and with them the descriptor `file`, which stays open; -1: there
 * is none. */
bool control_send(int fd, const struct json_t *object, int file);

#endif
