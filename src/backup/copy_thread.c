/* SPDX-License-Identifier: MIT */
/* Makes the copy for a backup on a thread of its own, so that the caller's thread can do other work
 * meanwhile. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "backup_private.h"

#define LOOK_MS 50

struct copy_thread {
	struct store *store;
	int fd; /* of the copy */
	struct buf why;
	enum err err;
	atomic_bool stop, ended;
	_Atomic(const char *) what;
	_Atomic int64_t done, total;
};

static bool thread_on_progress(void *context, const char *what, int64_t done, int64_t total)
{
	struct copy_thread *thread = context;

	atomic_store(&thread->what, what);
	atomic_store(&thread->done, done);
	atomic_store(&thread->total, total);
	return !atomic_load(&thread->stop);
}

static void *thread_run(void *context)
{
	struct copy_thread *thread = context;
	struct watch watch = {.on_progress = thread_on_progress, .context = thread};

	/* Of this thread alone: Linux has a niceness for each. */
	(void)setpriority(PRIO_PROCESS, 0, BACKUP_NICENESS);
	thread->err = backup_copy_here(thread->store, &watch, &thread->fd, &thread->why);
	atomic_store(&thread->ended, true);
	return NULL;
}

static void thread_wait(struct copy_thread *thread, backup_progress_fn *on_progress, void *context)
{
	while (!atomic_load(&thread->ended)) {
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
		if (!on_progress(context, atomic_load(&thread->what), atomic_load(&thread->done),
				 atomic_load(&thread->total)))
			atomic_store(&thread->stop, true);
	}
}

enum err backup_copy(struct store *store, backup_progress_fn *on_progress, void *context,
		     int *fd_out, struct buf *why)
{
	struct copy_thread thread = {.store = store, .what = "pages"};
	pthread_t id;

	if (pthread_create(&id, NULL, thread_run, &thread)) {
		buf_add_text(why, "cannot make a thread");
		return ERR_NOMEM;
	}
	thread_wait(&thread, on_progress, context);
	pthread_join(id, NULL);
	if (!thread.err)
		*fd_out = thread.fd;
	else if (thread.why.len)
		buf_add(why, thread.why.ptr, thread.why.len);
	buf_release(&thread.why);
	return thread.err;
}
