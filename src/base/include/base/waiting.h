/* SPDX-License-Identifier: MIT */
/* A thread that waits until another says that something is done.
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
/* `waiting` is a struct waiting: this is called as a callback. */
void waiting_end(void *waiting);
void waiting_for(struct waiting *waiting);

#endif
