/* SPDX-License-Identifier: MIT */
/* The control socket, over which the process that serves a folder runs commands for other
 * processes. It is only for its owner (mode 0600): docket.sock in a served folder, or what
 * --control-socket names. While a process serves a store, it runs the commands of other processes:
 *
 *     const struct control_config config = {settings, store, guesses, my_status, my};
 *     struct control *control;
 *
 *     if (!control_start(&config, &control))
 *             return EXIT_FAILED;
 *     wait_for_a_signal();
 *     control_stop(control); */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "cli/cli.h"

struct control;
struct guesses;
struct json_t; /* of jansson */

struct control_config {
	const struct settings *settings; /* of the command that serves */
	struct store *store;
	struct guesses *guesses; /* tokens that commands make are added to it */
	/* For "docket status": an object of sections. Each is an object of numbers and texts. A
	 * name ends in the unit: _bytes, _s, _ms or _us. Only --json shows arrays, and names that
	 * begin with total_. NULL: memory ran out. */
	struct json_t *(*status)(void *context);
	void *context;
};

/* Starts a thread that completes removals of accounts that were broken off, and then serves the
 * control socket. With a PostgreSQL database there is a socket only if --control-socket is given.
 * It is only for "docket status": other commands open the database themselves. `config` is copied.
 * False, with a message, if this fails. */
bool control_start(const struct control_config *config, struct control **control_out);

/* Answers the commands that have come, and ends the thread. NULL is accepted. */
void control_stop(struct control *control);

/* Sends the command to the process that serves, which runs it, and prints the output. Returns 0; or
 * an error number if the process cannot be reached, and then nothing was done. Sets `unknown_out`
 * if the process ends before it answers: it may have carried out the command or not. `token_hash`
 * may be NULL. */
int control_ask(const struct settings *settings, const unsigned char *token_hash,
		enum exit_status *status_out, bool *unknown_out);

/* Calls status() of struct control_config. Returns the state of this process; the caller releases
 * it. Call it only in a command that came over the control socket. */
struct json_t *control_status(const struct settings *settings);

#endif
