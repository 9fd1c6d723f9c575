/* SPDX-License-Identifier: MIT */
/* Waiting for another thread, by a condition variable. */
#include "base/waiting.h"

void waiting_init(struct waiting *waiting)
{
	*waiting = (struct waiting){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
}

void waiting_end(void *context)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->done = true;
	pthread_cond_signal(&waiting->wake);
	pthread_mutex_unlock(&waiting->lock);
}

void waiting_for(struct waiting *waiting)
{
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->done)
		pthread_cond_wait(&waiting->wake, &waiting->lock);
	pthread_mutex_unlock(&waiting->lock);
}
