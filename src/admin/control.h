/* SPDX-License-Identifier: MIT */
/* The control socket, only for its owner (mode 0600): docket.sock in a served folder, or what
 * --control-socket names. A command is sent as one line of JSON; its result is sent back as one
 * line:
 *
 *     {"command": "token add", "argument": "ci", "settings": {"account": "main"},
 *      "origins": {"account": "DOCKET_ACCOUNT"}, "token_hash": "…"}
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
#ifndef ADMIN_CONTROL_H
#define ADMIN_CONTROL_H

#include <sys/un.h>

#include "base/buf.h"
#include "cli/cli.h"

/* Sends the command to the process that serves, which runs it, and prints the output. Returns 0; or
 * an error number if the process cannot be reached, and then nothing was done. Sets `unknown_out`
 * if the process ends before it answers: it may have carried out the command or not. `token_hash`
 * may be NULL. */
int control_ask(const struct settings *settings, const unsigned char *token_hash,
		enum exit_status *status_out, bool *unknown_out);

/* Opens the folder of the socket; `name_out` is the socket's name there. -1 and errno. */
int control_open_folder(const struct settings *settings, const char **name_out);

/* Returns the socket's address. It names the folder by its descriptor, because the folder's path
 * may be too long for an address. */
struct sockaddr_un control_address(int folder, const char *name);

/* Calls status() of struct control_config. Returns the state of this process; the caller releases
 * it. Call it only in a command that came over the control socket. */
struct json_t *control_status(const struct settings *settings);

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
