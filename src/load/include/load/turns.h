/* SPDX-License-Identifier: MIT */
/* Turns: makes a thread that serves many connections fair to the accounts that share it. The thread
 * works in rounds: it takes all connections that have sent something, and works on one after the
 * other. An account with many connections would fill each round, and the others would wait for it.
 *
 * So each account has a part of a round. Its further requests wait, and go on in later rounds, in
 * their order. An account that has the thread for itself never waits.
 *
 *	if (turn_wait(turns, &call->turn, account_id, resume, call))
 *		return suspend(call);         // resume(call) follows, on this thread
 *	…
 *	turn_begin(&call->turn);              // where the suspended request goes on */
#ifndef LOAD_TURNS_H
#define LOAD_TURNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

struct turns;
struct turn_lane;

/* The turn of one request. It begins zeroed. */
struct turn {
	struct turn_lane *lane; /* the request waits there; NULL: it does not wait */
	TAILQ_ENTRY(turn) next;
	void (*resume)(void *context);
	void *context;
};

/* `threads`: how many threads will call turn_wait(). ERR_NOMEM. */
enum err turns_new(unsigned threads, struct turns **turns_out);
/* From now on no request waits. Returns when the threads have resumed those that wait. */
void turns_end(struct turns *turns);
/* The threads must have ended. NULL is accepted. */
void turns_free(struct turns *turns);
/* How many requests have waited since the start. */
unsigned long turns_waited(const struct turns *turns);

/* Call it before the work on a request. False: the request may go on. True: it must wait, and
 * resume(context) is called later, on the same thread. Then turn_begin() must follow. */
bool turn_wait(struct turns *turns, struct turn *turn, int64_t account_id,
	       void (*resume)(void *context), void *context);
void turn_begin(struct turn *turn);

/* The calling thread has ended a round: resumes requests for the next one. May be called on any
 * thread. */
void turns_next_round(void);

#endif
