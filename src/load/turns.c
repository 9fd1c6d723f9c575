/* SPDX-License-Identifier: MIT */
/* What an account has waiting on a thread is in a lane. The time of a request ends where the thread
 * begins the next one or ends its round. */
#include "load/turns.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

/* Accounts whose ids have the same remainder share a lane, and wait for each other as if they were
 * one. */
#define LANES 256
#define TURN_US 1000      /* the part of an account in a round */
#define TURN_MOST 16      /* requests in it, however short they are */
#define SHARED_US 1000000 /* so long after a request of another account the thread is shared */

TAILQ_HEAD(turn_list, turn);
TAILQ_HEAD(lane_list, turn_lane);

struct turn_lane {
	struct turn_list turns;         /* that wait */
	TAILQ_ENTRY(turn_lane) waiting; /* in its thread's list, if there are any */
	uint64_t round;                 /* the last one with a request */
	int64_t taken;                  /* requests in that round */
	int64_t each_us;                /* the average time of a request */
};

/* What belongs to one thread. */
struct thread_turns {
	struct turns *all;
	struct turn_lane lanes[LANES];
	struct lane_list waiting;
	uint64_t round;
	struct turn_lane *current; /* of the request that the thread works on; or NULL */
	int64_t began_us;          /* when it began to, of monotonic_us() */
	int64_t last_account;      /* 0: none yet */
	int64_t shared_us;         /* when another account than the one before had a request */
};

struct turns {
	atomic_uint taken; /* by threads */
	atomic_bool ended;
	atomic_long waiting;
	atomic_ulong waited;
	struct thread_turns list[];
};

static _Thread_local struct thread_turns *own;

enum err turns_new(unsigned threads, struct turns **turns_out)
{
	struct turns *turns = calloc(1, sizeof(*turns) + threads * sizeof(turns->list[0]));

	if (!turns)
		return ERR_NOMEM;
	for (unsigned i = 0; i < threads; i++) {
		turns->list[i].all = turns;
		turns->list[i].shared_us = INT64_MIN / 2;
		TAILQ_INIT(&turns->list[i].waiting);
		for (unsigned lane = 0; lane < LANES; lane++)
			TAILQ_INIT(&turns->list[i].lanes[lane].turns);
	}
	*turns_out = turns;
	return OK;
}

void turns_end(struct turns *turns)
{
	atomic_store(&turns->ended, true);
	while (atomic_load(&turns->waiting))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void turns_free(struct turns *turns)
{
	free(turns);
}

unsigned long turns_waited(const struct turns *turns)
{
	return atomic_load(&turns->waited);
}

/* The thread works for another lane now, or for none. */
static void turns_switch(struct thread_turns *turns, struct turn_lane *lane, int64_t now_us)
{
	struct turn_lane *before = turns->current;

	if (before)
		before->each_us += (now_us - turns->began_us - before->each_us) / 8;
	turns->current = lane;
	turns->began_us = now_us;
}

/* False: the lane has had its part of this round. */
static bool lane_take_turn(struct turn_lane *lane, uint64_t round)
{
	int64_t most = lane->each_us > TURN_US / TURN_MOST ? TURN_US / lane->each_us : TURN_MOST;

	if (lane->round != round)
		lane->taken = 0;
	lane->round = round;
	return lane->taken++ < (most ? most : 1);
}

static bool turns_are_shared(struct thread_turns *turns, int64_t account_id, int64_t now_us)
{
	if (turns->last_account && turns->last_account != account_id)
		turns->shared_us = now_us;
	turns->last_account = account_id;
	return now_us - turns->shared_us < SHARED_US;
}

static void lane_add(struct thread_turns *turns, struct turn_lane *lane, struct turn *turn)
{
	atomic_fetch_add(&turns->all->waiting, 1);
	atomic_fetch_add(&turns->all->waited, 1);
	if (TAILQ_EMPTY(&lane->turns))
		TAILQ_INSERT_TAIL(&turns->waiting, lane, waiting);
	TAILQ_INSERT_TAIL(&lane->turns, turn, next);
	turn->lane = lane;
}

bool turn_wait(struct turns *turns, struct turn *turn, int64_t account_id,
	       void (*resume)(void *context), void *context)
{
	int64_t now_us = monotonic_us();
	struct turn_lane *lane;
	bool waits;

	if (!own)
		own = &turns->list[atomic_fetch_add(&turns->taken, 1)];
	lane = &own->lanes[(uint64_t)account_id % LANES];
	waits = turns_are_shared(own, account_id, now_us) && !atomic_load(&turns->ended) &&
		(!TAILQ_EMPTY(&lane->turns) || !lane_take_turn(lane, own->round));
	turns_switch(own, waits ? NULL : lane, now_us);
	if (!waits)
		return false;
	turn->resume = resume;
	turn->context = context;
	lane_add(own, lane, turn);
	return true;
}

void turn_begin(struct turn *turn)
{
	turns_switch(own, turn->lane, monotonic_us());
	turn->lane = NULL;
}

static void lane_resume(struct thread_turns *turns, struct turn_lane *lane)
{
	struct turn *turn;

	while ((turn = TAILQ_FIRST(&lane->turns)) &&
	       (atomic_load(&turns->all->ended) || lane_take_turn(lane, turns->round))) {
		TAILQ_REMOVE(&lane->turns, turn, next);
		atomic_fetch_sub(&turns->all->waiting, 1);
		turn->resume(turn->context);
	}
	if (!turn)
		TAILQ_REMOVE(&turns->waiting, lane, waiting);
}

void turns_next_round(void)
{
	struct turn_lane *lane, *next;

	if (!own)
		return;
	if (own->current)
		turns_switch(own, NULL, monotonic_us());
	own->round++;
	for (lane = TAILQ_FIRST(&own->waiting); lane; lane = next) {
		next = TAILQ_NEXT(lane, waiting);
		lane_resume(own, lane);
	}
}
