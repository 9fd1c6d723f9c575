/* SPDX-License-Identifier: MIT */
/* The control socket: docket.sock in a served folder, for its owner alone (mode 0600). A command
 * comes as one line of JSON and its outcome goes back as one:
 *
 *     {"command": "token add", "argument": "ci", "settings": {"account": "main"},
 *      "origins": {"account": "DOCKET_ACCOUNT"}, "token_hash": "…"}
 *     {"status": 0, "out": "", "err": ""}
 *
 * It runs whole or not at all: each is one write of the store. */
#ifndef ADMIN_CONTROL_H
#define ADMIN_CONTROL_H

#include <sys/un.h>

#include "base/buf.h"
#include "cli/cli.h"

#define CONTROL_SOCKET "docket.sock"

/* Has the process that serves the folder run the command, and prints what it says. False where no
 * process serves it; nothing was done then. Where it ends before it has answered, `unknown_out` is
 * set: the command was carried out, whole, or it was not. `token_hash` may be NULL. */
bool control_ask(const struct settings *settings, const unsigned char *token_hash,
		 enum exit_status *status_out, bool *unknown_out);

/* The socket's address, however long the folder's path is: through its descriptor. */
struct sockaddr_un control_address(int folder);

/* Whether the reader of a line that it began to wait for at `began` (monotonic_ms()) waits on. */
typedef bool control_patience_fn(const void *context, int64_t began);

/* Reads a line of at most `most` bytes. Without `patience` it waits as long as it takes; else the
 * socket has a timeout, after each of which `patience` is asked. */
bool control_receive(int fd, size_t most, control_patience_fn *patience, const void *context,
		     struct buf *line);

/* Sends the object and a newline. */
bool control_send(int fd, const struct json_t *object);

#endif
