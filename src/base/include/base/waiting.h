/* SPDX-License-Identifier: MIT */
/* Lets a thread wait until another one has done something.
 *
 *	struct waiting waiting;
 *
 *	waiting_init(&waiting);
 *	submit(job, waiting_end, &waiting);
 *	waiting_for(&waiting); */
#ifndef BASE_WAITING_H
#define BASE_WAITING_H

#include <pthread.h>
#include <stdbool.h>

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};

void waiting_init(struct waiting *waiting);
/* Ends the wait. It serves as a callback, so `waiting` (a struct waiting) is a void pointer. */
void waiting_end(void *waiting);
void waiting_for(struct waiting *waiting);

#endif
