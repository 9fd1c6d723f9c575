/* SPDX-License-Identifier: MIT */
/* The control socket: docket.sock in a served folder, for its owner alone (mode 0600). A command
 * comes as one line of JSON and its outcome goes back as one:
 *
 *     {"command": "token add", "argument": "ci", "settings": {"account": "main"},
 *      "origins": {"account": "DOCKET_ACCOUNT"}, "token_hash": "…"}
 *     {"status": 0, "out": "", "err": ""}
 *
 * It runs whole or not at all: each is one write of the store. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "cli/settings.h"

struct control;
struct guesses;
struct store;

/* Ends the removals of accounts that were broken off, and serves the socket of the folder, on a
 * thread of its own; `guesses` are told of every token that a command makes. A database has no
 * socket: commands open it themselves. Says what is wrong. */
bool control_start(const struct settings *settings, struct store *store, struct guesses *guesses,
		   struct control **control_out);

/* Answers what is under way and ends. NULL is accepted. */
void control_stop(struct control *control);

/* Has the process that serves the folder run the command, and prints what it says. False where no
 * process serves it; nothing was done then. Where it ends before it has answered, `unknown_out` is
 * set: the command was carried out, whole, or it was not. `token_hash` may be NULL. */
bool control_ask(const struct settings *settings, const unsigned char *token_hash,
		 enum exit_status *status_out, bool *unknown_out);

#endif
