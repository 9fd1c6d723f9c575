/* SPDX-License-Identifier: MIT */
/* A queue of jobs that is fair to every account. A lane is the queue of one account's jobs. The
 * lanes take turns by deficit round robin (Shreedhar and Varghese, SIGCOMM 1995). Each job that is
 * taken uses up its weight from the credit of its lane. If the credit is too small for the next
 * job, the lane gets more credit and waits for its next turn. So if an account has much work, its
 * jobs wait mostly for each other.
 *
 *	struct jobs jobs;
 *	struct jobs_want want = {.owner = worker, .groups = ALL_GROUPS, .room = 100};
 *
 *	jobs_init(&jobs);
 *	err = jobs_add(&jobs, &write->job);
 *	while ((job = jobs_take(&jobs, &want)))
 *		want.room -= job->weight;
 *	jobs_release(&jobs, write->job.lane, LOCK_NONE, 0);
 *
 * The caller must hold the lock that guards the queue. */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "store/store.h"

#define ALL_GROUPS ((UINT32_C(1) << GROUP_COUNT) - 1)
#define GROUP_BIT(group) (UINT32_C(1) << (group))

TAILQ_HEAD(job_list, job);
TAILQ_HEAD(lane_list, lane);

/* The jobs of one account. */
struct lane {
	int64_t account_id;
	struct job_list jobs;
	size_t weight;     /* the sum of the weights of its jobs */
	size_t credit;     /* the weight that may be taken in this turn */
	const void *owner; /* the only thread that may take its jobs; NULL: any thread may */
	bool locked;       /* another session has locked the account */
	/* When a job first ended with LOCK_ROW, by monotonic_ms(); 0: none has since the lane was
	 * last unlocked. */
	int64_t locked_at;
	struct lane *next; /* the next lane of the same bucket */
	TAILQ_ENTRY(lane) turn;
};

struct jobs {
	struct lane_list lanes; /* in the order of their turns */
	size_t lane_count;
	struct lane *buckets[256]; /* a hash table of the lanes, by account id */
	size_t count, weight;      /* the number of all jobs, and the sum of their weights */
};

/* What jobs_take() may take: only a job that meets all these conditions. */
struct jobs_want {
	uint32_t groups;     /* the job's group is one of these: a set of GROUP_BIT() */
	bool is_long;        /* true: the job may be long or short; false: it is short */
	bool locked;         /* true: the job's lane is locked; false: the lane is not locked */
	const int64_t *lane; /* the job is of this account; NULL: of any account */
	size_t room;         /* the job has at most this weight */
	size_t with;         /* the job may run together with this many other jobs */
	const void *owner;   /* the lane has no other owner, and gets this one, unless NULL */
};

void jobs_init(struct jobs *jobs);
/* ERR_NOMEM. */
enum err jobs_add(struct jobs *jobs, struct job *job);
/* Puts a job back at the head of its lane. The lane must have an owner. */
void jobs_put_back(struct jobs *jobs, struct job *job);
/* Takes the next job that meets the conditions of `want`. NULL: there is none. */
struct job *jobs_take(struct jobs *jobs, const struct jobs_want *want);
/* Takes the owner from the account's lane, so that any thread may take jobs from it. `lock` is what
 * the owner has found: with LOCK_NONE the lane is unlocked, otherwise it is locked. `now` is the
 * time of monotonic_ms(). */
void jobs_release(struct jobs *jobs, int64_t account_id, enum job_lock lock, int64_t now);
/* Moves every late job to `late`. A job is late if it was accepted at `accepted` or earlier. If its
 * lane has LOCK_ROW, or its group is locked, and has been so since `since` or earlier, then a job
 * that was accepted at `since` or earlier is late as well. `groups_locked_at` has one time for each
 * group; 0: the group is not locked. */
void jobs_take_late(struct jobs *jobs, int64_t accepted, int64_t since,
		    const int64_t *groups_locked_at, struct job_list *late);
/* Returns the lane of an account. NULL: the account has no lane. */
const struct lane *jobs_lane(const struct jobs *jobs, int64_t account_id);

#endif
