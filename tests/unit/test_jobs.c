/* SPDX-License-Identifier: MIT */
/* The queue of jobs: who comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "store/jobs.h"

#define JOBS 600

static const struct jobs_want anything = {.groups = ALL_GROUPS, .is_long = true, .room = SIZE_MAX};

static const int64_t unlocked[GROUP_COUNT];

struct queue {
	struct jobs jobs;
	struct job list[JOBS];
	size_t count;
};

static struct job *add(struct queue *queue, int64_t account_id, size_t weight)
{
	struct job *job = &queue->list[queue->count++];

	*job = (struct job){.lane = account_id, .weight = weight, .most = 256};
	assert_int_equal(jobs_add(&queue->jobs, job), OK);
	return job;
}

static int set_up(void **state)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	jobs_init(&queue->jobs);
	*state = queue;
	return 0;
}

/* Takes what is left, so that no lane stays. */
static int tear_down(void **state)
{
	struct queue *queue = *state;
	struct job_list left = TAILQ_HEAD_INITIALIZER(left);

	jobs_take_late(&queue->jobs, INT64_MAX, INT64_MAX, unlocked, &left);
	free(queue);
	return 0;
}

/* Of one account jobs come in their order. */
static void in_order(void **state)
{
	struct queue *queue = *state;

	for (size_t i = 0; i < 100; i++)
		add(queue, 7, 1 + i % 3);
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(jobs_take(&queue->jobs, &anything), &queue->list[i]);
	assert_null(jobs_take(&queue->jobs, &anything));
	assert_int_equal(queue->jobs.weight, 0);
	assert_int_equal(queue->jobs.lane_count, 0);
}

/* A job of an idle account waits for one turn of each other account, however much they have. */
static void idle_account(void **state)
{
	struct queue *queue = *state;
	const struct job *mine;
	size_t before = 0;

	for (size_t i = 0; i < 500; i++)
		add(queue, 1, 100);
	mine = add(queue, 2, 1);
	while (jobs_take(&queue->jobs, &anything) != mine)
		before++;
	assert_true(before <= 2);
}

/* An account keeps its turn while a thread takes only jobs of another group. */
static void turn_stays(void **state)
{
	struct queue *queue = *state;
	const struct jobs_want access = {.groups = 1 << GROUP_ACCESS, .room = SIZE_MAX};
	const struct job *mine;

	for (size_t i = 0; i < 500; i++)
		add(queue, 1, 1);
	mine = add(queue, 2, 1);
	queue->list[500].group = GROUP_HISTORY;
	for (size_t i = 0; i < 400; i++) {
		assert_non_null(jobs_take(&queue->jobs, &access));
		if (i % 40 == 39 && jobs_take(&queue->jobs, &anything) == mine)
			return;
	}
	fail_msg("the other account had every turn");
}

/* Two accounts that always have work get the same weight, whatever the sizes of their jobs. */
static void same_weight(void **state)
{
	struct queue *queue = *state;
	size_t taken[3] = {0};

	for (size_t i = 0; i < 10; i++)
		add(queue, 1, 500);
	for (size_t i = 0; i < 500; i++)
		add(queue, 2, 10);
	while (taken[1] < 2500) {
		const struct job *job = jobs_take(&queue->jobs, &anything);

		taken[job->lane] += job->weight;
	}
	assert_in_range(taken[2], 2500 - 500, 2500 + 500);
}

/* What does not fit stays, and smaller jobs of others are taken. */
static void room(void **state)
{
	struct queue *queue = *state;
	struct jobs_want want = anything;
	const struct job *small;

	add(queue, 1, 50);
	small = add(queue, 2, 3);
	want.room = 10;
	assert_ptr_equal(jobs_take(&queue->jobs, &want), small);
	assert_null(jobs_take(&queue->jobs, &want));
	assert_int_equal(queue->jobs.count, 1);
}

/* An account that one has taken of is nobody else's, until it is released. */
static void owner(void **state)
{
	struct queue *queue = *state;
	int one, two;
	struct jobs_want want = anything;
	struct job *job;

	add(queue, 1, 1);
	add(queue, 1, 1);
	want.owner = &one;
	job = jobs_take(&queue->jobs, &want);
	assert_ptr_equal(job, &queue->list[0]);
	want.owner = &two;
	assert_null(jobs_take(&queue->jobs, &want));
	jobs_put_back(&queue->jobs, job);
	jobs_release(&queue->jobs, 1, LOCK_NONE, 0);
	assert_ptr_equal(jobs_take(&queue->jobs, &want), &queue->list[0]);
	assert_ptr_equal(jobs_take(&queue->jobs, &want), &queue->list[1]);
	jobs_release(&queue->jobs, 1, LOCK_NONE, 0);
	assert_int_equal(queue->jobs.lane_count, 0);
}

/* An account that is locked is left out, and taken by whoever asks for locked ones. */
static void locked_account(void **state)
{
	struct queue *queue = *state;
	struct jobs_want want = anything, locked = anything;
	struct job *job;

	add(queue, 1, 1);
	add(queue, 2, 1);
	want.owner = locked.owner = queue;
	locked.locked = true;
	assert_null(jobs_take(&queue->jobs, &locked));
	job = jobs_take(&queue->jobs, &want);
	jobs_put_back(&queue->jobs, job);
	jobs_release(&queue->jobs, job->lane, LOCK_TURN, 5);
	assert_int_equal(jobs_take(&queue->jobs, &want)->lane, 3 - job->lane);
	assert_null(jobs_take(&queue->jobs, &want));
	assert_ptr_equal(jobs_take(&queue->jobs, &locked), job);
	jobs_release(&queue->jobs, 1, LOCK_NONE, 0);
	jobs_release(&queue->jobs, 2, LOCK_NONE, 0);
}

/* Groups, long jobs, and how many run together. */
static void kinds_of_jobs(void **state)
{
	struct queue *queue = *state;
	struct jobs_want want = anything;

	add(queue, 1, 1)->group = GROUP_HISTORY;
	add(queue, 1, 1)->is_long = true;
	add(queue, 1, 1)->most = 1;
	want.groups = ALL_GROUPS & ~GROUP_BIT(GROUP_HISTORY);
	want.is_long = false;
	want.with = 1;
	assert_null(jobs_take(&queue->jobs, &want));
	want.with = 0;
	assert_ptr_equal(jobs_take(&queue->jobs, &want), &queue->list[2]);
	want.is_long = true;
	assert_ptr_equal(jobs_take(&queue->jobs, &want), &queue->list[1]);
	assert_null(jobs_take(&queue->jobs, &want));
}

/* A job has less time where somebody has locked what it needs, counted from when that was found. */
static void late(void **state)
{
	struct queue *queue = *state;
	struct job_list over = TAILQ_HEAD_INITIALIZER(over);
	struct jobs_want want = anything;
	int64_t locked_at[GROUP_COUNT] = {[GROUP_HISTORY] = 15, [GROUP_WRITE] = 25};

	add(queue, 1, 1)->accepted = 10;
	add(queue, 1, 1)->accepted = 20;
	add(queue, 1, 1)->accepted = 20;
	queue->list[2].group = GROUP_HISTORY;
	add(queue, 1, 1)->accepted = 20;
	queue->list[3].group = GROUP_WRITE;
	add(queue, 1, 1)->accepted = 30;
	jobs_take_late(&queue->jobs, 10, 20, locked_at, &over);
	assert_ptr_equal(TAILQ_FIRST(&over), &queue->list[0]);
	assert_ptr_equal(TAILQ_NEXT(&queue->list[0], queued), &queue->list[2]);
	assert_null(TAILQ_NEXT(&queue->list[2], queued));
	assert_int_equal(queue->jobs.count, 3);

	/* A lane is locked since the first time that a stranger was found to have the account. */
	want.owner = queue;
	for (int64_t at = 30; at <= 50; at += 10) {
		struct job *job = jobs_take(&queue->jobs, &want);

		want.locked = true;
		jobs_put_back(&queue->jobs, job);
		jobs_release(&queue->jobs, 1, at == 30 ? LOCK_TURN : LOCK_ROW, at);
	}
	jobs_take_late(&queue->jobs, 10, 39, unlocked, &over);
	assert_int_equal(queue->jobs.count, 3);
	jobs_take_late(&queue->jobs, 10, 40, unlocked, &over);
	assert_int_equal(queue->jobs.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order),       TEST(idle_account),  TEST(turn_stays),
		TEST(same_weight),    TEST(room),          TEST(owner),
		TEST(locked_account), TEST(kinds_of_jobs), TEST(late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
