/* SPDX-License-Identifier: MIT */
/* The thread is never joined: the process that it asks may hang, and the key q ends docket top all
 * the same. */
#include "asker.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"

#define EVERY_MS 1000

struct asker {
	const struct settings *settings;
	int event;
	pthread_mutex_t lock;
	json_t *answer;
	struct buf why;
	int64_t us;
};

static void asker_ask(struct asker *asker)
{
	const uint64_t one = 1;
	struct buf why = {0};
	json_t *answer = status_ask(asker->settings, &why);

	pthread_mutex_lock(&asker->lock);
	json_decref(asker->answer);
	buf_release(&asker->why);
	asker->answer = answer;
	asker->why = why;
	asker->us = monotonic_us();
	pthread_mutex_unlock(&asker->lock);
	if (write(asker->event, &one, sizeof(one)) < 0)
		return; /* the page reads it later */
}

static void *asker_run(void *context)
{
	int64_t next = monotonic_ms();

	for (;; asker_ask(context)) {
		int64_t now = monotonic_ms();

		next = next + EVERY_MS > now ? next + EVERY_MS : now + EVERY_MS;
		nanosleep(&(struct timespec){.tv_sec = (next - now) / 1000,
					     .tv_nsec = (next - now) % 1000 * 1000000},
			  NULL);
	}
	return NULL;
}

struct asker *asker_start(const struct settings *settings)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	pthread_t thread;

	if (!asker)
		return NULL;
	asker->settings = settings;
	asker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&asker->lock, NULL);
	if (asker->event < 0 || pthread_create(&thread, NULL, asker_run, asker)) {
		free(asker);
		return NULL;
	}
	pthread_detach(thread);
	return asker;
}

int asker_fd(const struct asker *asker)
{
	return asker->event;
}

json_t *asker_take(struct asker *asker, struct buf *why, int64_t *us_out)
{
	uint64_t count;
	json_t *answer;

	if (read(asker->event, &count, sizeof(count)) < 0)
		return NULL;
	pthread_mutex_lock(&asker->lock);
	answer = asker->answer;
	asker->answer = NULL;
	buf_add_slice(why, buf_slice(&asker->why));
	*us_out = asker->us;
	pthread_mutex_unlock(&asker->lock);
	return answer;
}
