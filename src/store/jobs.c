/* SPDX-License-Identifier: MIT */
/* A queue of jobs that is fair by account. */
#include "store/jobs.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"

#define CREDIT 16 /* the weight that a lane may take in each turn */

void jobs_init(struct jobs *jobs)
{
	*jobs = (struct jobs){0};
	TAILQ_INIT(&jobs->lanes);
}

static size_t bucket_of(int64_t account_id)
{
	return (uint64_t)account_id % COUNT_OF(((struct jobs *)NULL)->buckets);
}

static struct lane *lane_find(const struct jobs *jobs, int64_t account_id)
{
	struct lane *lane = jobs->buckets[bucket_of(account_id)];

	while (lane && lane->account_id != account_id)
		lane = lane->next;
	return lane;
}

const struct lane *jobs_lane(const struct jobs *jobs, int64_t account_id)
{
	return lane_find(jobs, account_id);
}

static struct lane *lane_new(struct jobs *jobs, int64_t account_id)
{
	struct lane *lane = calloc(1, sizeof(*lane));
	struct lane **bucket = &jobs->buckets[bucket_of(account_id)];

	if (!lane)
		return NULL;
	lane->account_id = account_id;
	TAILQ_INIT(&lane->jobs);
	TAILQ_INSERT_TAIL(&jobs->lanes, lane, turn);
	jobs->lane_count++;
	lane->next = *bucket;
	*bucket = lane;
	return lane;
}

static void lane_free_if_idle(struct jobs *jobs, struct lane *lane)
{
	struct lane **at = &jobs->buckets[bucket_of(lane->account_id)];

	if (lane->owner || !TAILQ_EMPTY(&lane->jobs))
		return;
	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	TAILQ_REMOVE(&jobs->lanes, lane, turn);
	jobs->lane_count--;
	free(lane);
}

static void lane_to_end(struct jobs *jobs, struct lane *lane)
{
	TAILQ_REMOVE(&jobs->lanes, lane, turn);
	TAILQ_INSERT_TAIL(&jobs->lanes, lane, turn);
}

static void lane_count(struct jobs *jobs, struct lane *lane, const struct job *job)
{
	lane->weight += job->weight;
	jobs->weight += job->weight;
	jobs->count++;
}

static void lane_remove(struct jobs *jobs, struct lane *lane, struct job *job)
{
	TAILQ_REMOVE(&lane->jobs, job, queued);
	lane->weight -= job->weight;
	jobs->weight -= job->weight;
	jobs->count--;
}

enum err jobs_add(struct jobs *jobs, struct job *job)
{
	struct lane *lane = lane_find(jobs, job->lane);

	if (!lane)
		lane = lane_new(jobs, job->lane);
	if (!lane)
		return ERR_NOMEM;
	TAILQ_INSERT_TAIL(&lane->jobs, job, queued);
	lane_count(jobs, lane, job);
	return OK;
}

void jobs_put_back(struct jobs *jobs, struct job *job)
{
	struct lane *lane = lane_find(jobs, job->lane);

	assert(lane && lane->owner);
	TAILQ_INSERT_HEAD(&lane->jobs, job, queued);
	lane->credit += job->weight;
	lane_count(jobs, lane, job);
}

/* The first job of the lane that fits `want`; NULL: none. */
static struct job *lane_choose(const struct lane *lane, const struct jobs_want *want)
{
	struct job *job;

	if (lane->locked != want->locked || (lane->owner && lane->owner != want->owner) ||
	    (want->lane && lane->account_id != *want->lane))
		return NULL;
	TAILQ_FOREACH(job, &lane->jobs, queued)
	if (want->groups & GROUP_BIT(job->group) && (want->is_long || !job->is_long))
		break;
	return job && job->weight <= want->room && job->most > want->with ? job : NULL;
}

static struct job *lane_take(struct jobs *jobs, struct lane *lane, struct job *job,
			     const void *owner)
{
	lane_remove(jobs, lane, job);
	lane->credit -= job->weight;
	if (owner)
		lane->owner = owner;
	lane_free_if_idle(jobs, lane);
	return job;
}

/* A lane without a job that fits keeps its place. Otherwise the lanes of small accounts would lose
 * their turns to callers that want another kind of job. */
struct job *jobs_take(struct jobs *jobs, const struct jobs_want *want)
{
	struct lane *next;

	for (struct lane *lane = TAILQ_FIRST(&jobs->lanes); lane; lane = next) {
		struct job *job = lane_choose(lane, want);

		if (job && job->weight <= lane->credit)
			return lane_take(jobs, lane, job, want->owner);
		next = TAILQ_NEXT(lane, turn);
		if (!job)
			continue;
		lane->credit += CREDIT;
		lane_to_end(jobs, lane);
		next = next ? next : lane;
	}
	return NULL;
}

void jobs_release(struct jobs *jobs, int64_t account_id, enum job_lock lock, int64_t now)
{
	struct lane *lane = lane_find(jobs, account_id);

	if (!lane)
		return;
	lane->owner = NULL;
	lane->locked = lock != LOCK_NONE;
	if (lock == LOCK_NONE)
		lane->locked_at = 0;
	else if (lock == LOCK_ROW && !lane->locked_at)
		lane->locked_at = now;
	lane_to_end(jobs, lane);
	lane_free_if_idle(jobs, lane);
}

static bool is_locked_since(int64_t locked_at, int64_t since)
{
	return locked_at && locked_at <= since;
}

void jobs_take_late(struct jobs *jobs, int64_t accepted, int64_t since,
		    const int64_t *groups_locked_at, struct job_list *late)
{
	struct lane *lane, *next_lane;
	struct job *job, *next;

	for (lane = TAILQ_FIRST(&jobs->lanes); lane; lane = next_lane) {
		next_lane = TAILQ_NEXT(lane, turn);
		for (job = TAILQ_FIRST(&lane->jobs); job; job = next) {
			bool locked = is_locked_since(lane->locked_at, since) ||
				      is_locked_since(groups_locked_at[job->group], since);

			next = TAILQ_NEXT(job, queued);
			if (job->accepted > (locked ? since : accepted))
				continue;
			lane_remove(jobs, lane, job);
			TAILQ_INSERT_TAIL(late, job, queued);
		}
		lane_free_if_idle(jobs, lane);
	}
}
