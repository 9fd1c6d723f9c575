/* SPDX-License-Identifier: MIT */
/* An epoll_wait() for the whole program, in place of the C library's. If libmicrohttpd gets as many
 * events as it has room for (128), it waits for more before it works on them: 128 clients that send
 * at the same moment would then wait until another one does. So the call after such a one never
 * waits. A call that waits ends a round of the thread (load/turns.h). */
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "load/turns.h"

/* The linker also gives this function to libmicrohttpd. */
int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	static _Thread_local bool was_full;
	int count;

	if (!was_full)
		turns_next_round();
	count = epoll_pwait(epoll, events, room, was_full ? 0 : timeout, NULL);
	was_full = count == room;
	return count;
}
