/* SPDX-License-Identifier: MIT */
/* Threads that read from a database that has to be waited for, each with its own connection. Reads
 * wait in groups, by what they look at. One thread takes all lists of statements of a group and
 * sends them together; what needs an answer before it can ask on is run alone. The first thread
 * takes none of those, so that however slow they are, short reads go on.
 *
 * Reads that are not done in time leave their group in trouble for a while, as by a table that
 * somebody has locked: the group then has one thread, which tries its reads one by one, for a
 * moment and then a longer one, until their time is over. So others of the group, and all other
 * groups, go on. */
#include <time.h>

#include "base/clock.h"
#include "queue.h"
#include "read_run.h"
#include "store/read_threads.h"

#define TOGETHER_MAX 128
#define TOGETHER_MS 250 /* that reads sent together may take before they are tried one by one */
#define SLICE_MS 25     /* that one of a group in trouble may take at first */
#define TROUBLE_MS 2000 /* until they are sent together again */
#define TRIES_MAX 2
#define IDLE_MS 500 /* until the first thread, with nothing to do, looks after its connection */

TAILQ_HEAD(read_queue, store_read);

struct group {
	struct read_queue reads;
	unsigned busy;         /* threads that run reads of it */
	int64_t trouble_until; /* milliseconds of CLOCK_MONOTONIC */
};

struct executor {
	struct read_threads *all;
	pthread_t thread;
	struct db *db; /* NULL: there is no connection at this moment */
	bool takes_long;
};

struct read_threads {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct group groups[2 * GROUP_COUNT]; /* lists of statements, and what is run alone */
	size_t turn;                          /* the group that is looked at first */
	bool stopping;
	size_t count;
	struct executor read_threads[];
};

/* What a thread has taken. */
struct taken {
	struct group *group;
	struct store_read *reads[TOGETHER_MAX];
	size_t count;
	bool late;    /* their time is over */
	bool careful; /* the group is in trouble */
};

static struct group *group_of(struct read_threads *all, const struct store_read *read)
{
	return &all->groups[2 * read->group + (read->append ? 0 : 1)];
}

static bool in_trouble(const struct group *group)
{
	return group->trouble_until && monotonic_ms() < group->trouble_until;
}

static bool is_short(const struct read_threads *all, const struct group *group)
{
	return (group - all->groups) % 2 == 0 && !in_trouble(group);
}

static void taken_add(struct taken *taken, struct store_read *read)
{
	TAILQ_REMOVE(&taken->group->reads, read, queued);
	taken->reads[taken->count++] = read;
}

enum err read_threads_submit(struct read_threads *all, struct store_read *read)
{
	int budget = all->store->config.read_budget_ms;
	struct group *group = group_of(all, read);
	enum err err = queue_enter(all->store, 0);

	if (err)
		return err;
	read->deadline = budget ? monotonic_ms() + budget : 0;
	read->tries = 0;
	pthread_mutex_lock(&all->lock);
	if (all->stopping) {
		err = ERR_STOPPED;
		queue_leave(all->store, 0);
	} else {
		TAILQ_INSERT_TAIL(&group->reads, read, queued);
		/* A signal could wake the one thread that does not take it. */
		if (is_short(all, group))
			pthread_cond_signal(&all->wake);
		else
			pthread_cond_broadcast(&all->wake);
	}
	pthread_mutex_unlock(&all->lock);
	return err;
}

/* The next group that this thread may take reads of. When all stop, the first thread helps. */
static struct group *executor_choose_group(struct executor *executor)
{
	struct read_threads *all = executor->all;
	size_t count = FIELD_COUNT(all->groups);

	for (size_t i = 0; i < count; i++) {
		struct group *group = &all->groups[(all->turn + i) % count];

		if (TAILQ_EMPTY(&group->reads) || (in_trouble(group) && group->busy))
			continue;
		if (!executor->takes_long && !all->stopping && !is_short(all, group))
			continue;
		all->turn = (size_t)(group - all->groups) + 1;
		return group;
	}
	return NULL;
}

static bool is_late(const struct store_read *read, int64_t now)
{
	return read->deadline && read->deadline <= now;
}

/* Those of a group whose time is over, wherever they are: where it has trouble, the oldest need not
 * be the first. */
static void take_late(struct taken *taken)
{
	struct store_read *read = TAILQ_FIRST(&taken->group->reads), *next;
	int64_t now = monotonic_ms();

	for (; read && taken->count < TOGETHER_MAX && (taken->careful || is_late(read, now));
	     read = next) {
		next = TAILQ_NEXT(read, queued);
		if (is_late(read, now))
			taken_add(taken, read);
	}
	taken->late = taken->count > 0;
}

/* A connection that was lost while nobody asked is made anew: it has the lock that keeps others
 * from changing the schema under a process that serves. */
static void look_after_connection(struct executor *executor)
{
	struct store *store = executor->all->store;

	if (executor->db && store->driver->is_lost(executor->db)) {
		store->driver->close(executor->db);
		executor->db = NULL;
	}
	if (!executor->db)
		(void)store->connect(store, DB_READ, &executor->db);
}

/* Until there may be something to do. Under the lock. */
static void wait_for_work(struct executor *executor)
{
	struct read_threads *all = executor->all;
	struct timespec until;

	if (executor != all->read_threads) {
		pthread_cond_wait(&all->wake, &all->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += IDLE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (pthread_cond_clockwait(&all->wake, &all->lock, CLOCK_MONOTONIC, &until) == 0)
		return;
	pthread_mutex_unlock(&all->lock);
	look_after_connection(executor);
	pthread_mutex_lock(&all->lock);
}

/* Waits for reads; false when the thread is to end. */
static bool executor_take_reads(struct executor *executor, struct taken *taken)
{
	struct read_threads *all = executor->all;
	struct group *group;
	size_t most;

	taken->count = 0;
	pthread_mutex_lock(&all->lock);
	while (!(group = executor_choose_group(executor)) && !all->stopping)
		wait_for_work(executor);
	if (group) {
		taken->group = group;
		taken->careful = in_trouble(group);
		take_late(taken);
		most = !taken->careful && is_short(all, group) ? TOGETHER_MAX : 1;
		while (!taken->late && !TAILQ_EMPTY(&group->reads) && taken->count < most)
			taken_add(taken, TAILQ_FIRST(&group->reads));
		group->busy++;
	}
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < taken->count; i++)
		queue_leave(all->store, 0);
	return group != NULL;
}

static void reads_finish(struct taken *taken, enum err err)
{
	for (size_t i = 0; i < taken->count; i++) {
		taken->reads[i]->err = err;
		taken->reads[i]->done(taken->reads[i]->context);
	}
}

/* What reads may take now. It differs little from one to the next: a new limit is told to the
 * server. */
static int budget_of(const struct store *store, const struct taken *taken)
{
	const struct store_read *read = taken->reads[0];
	int budget = store->config.read_budget_ms, most = budget;
	int64_t left = read->deadline - monotonic_ms();

	if (!budget)
		return 0;
	if (taken->careful)
		most = SLICE_MS << (read->tries < 8 ? read->tries : 8);
	else if (read->append)
		most = TOGETHER_MS;
	if (left < most && left < budget - budget / 4)
		most = left > 1 ? (int)left : 1;
	return most < budget ? most : budget;
}

/* All of them with one synchronisation. */
static enum err run_together(struct executor *executor, struct taken *taken, int budget)
{
	struct store *store = executor->all->store;
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	enum err err = OK;

	store->driver->set_budget(executor->db, budget);
	for (size_t i = 0; i < taken->count && !err; i++)
		err = taken->reads[i]->append(taken->reads[i], &calls);
	if (!err)
		err = store->driver->run(executor->db, calls.list, calls.count);
	arena_release(&arena);
	return err;
}

/* On a connection, which is made anew once where it turns out to be lost. */
static enum err executor_attempt(struct executor *executor, struct taken *taken)
{
	struct store *store = executor->all->store;
	enum err err = ERR_UNREACHABLE;

	for (int tries = 0; tries < TRIES_MAX && err == ERR_UNREACHABLE; tries++) {
		int budget;

		err = executor->db ? OK : store->connect(store, DB_READ, &executor->db);
		if (err)
			return err;
		if (tries && is_late(taken->reads[0], monotonic_ms()))
			return ERR_TIMEOUT;
		budget = budget_of(store, taken);
		err = taken->count > 1 ? run_together(executor, taken, budget)
				       : read_run(taken->reads[0], executor->db, budget);
		if (err == ERR_UNREACHABLE) {
			store->driver->close(executor->db);
			executor->db = NULL;
		}
	}
	return err;
}

/* Whether they are to be tried again: a read only ever answers for itself, and may take its time
 * where it was given less. */
static bool should_retry(const struct taken *taken, enum err err)
{
	if (!err || err == ERR_UNREACHABLE || taken->late)
		return false;
	return taken->count > 1 || (err == ERR_TIMEOUT && taken->reads[0]->deadline &&
				    !is_late(taken->reads[0], monotonic_ms()));
}

/* Whether others of the group are likely to fare the same: somebody has a lock, or what is sent
 * together was not done in time. What is asked alone may just be much. */
static bool is_trouble(const struct taken *taken, enum err err)
{
	if (taken->late || taken->careful)
		return err == ERR_BUSY;
	return err == ERR_BUSY || taken->count > 1 ||
	       (err == ERR_TIMEOUT && taken->reads[0]->append);
}

/* What has become of them; those that are tried again are queued, whoever else waits. */
static bool finish_or_requeue(struct read_threads *all, const struct taken *taken, enum err err)
{
	struct group *group = taken->group;
	bool back = should_retry(taken, err);

	pthread_mutex_lock(&all->lock);
	group->busy--;
	if (err && err != ERR_UNREACHABLE && is_trouble(taken, err))
		group->trouble_until = monotonic_ms() + TROUBLE_MS;
	for (size_t i = 0; i < taken->count && back; i++) {
		taken->reads[i]->tries += taken->careful;
		TAILQ_INSERT_TAIL(&group->reads, taken->reads[i], queued);
		atomic_fetch_add(&all->store->waiting, 1);
	}
	/* Others may have left them alone while this thread was busy with the group. */
	if (!TAILQ_EMPTY(&group->reads))
		pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	return back;
}

static void *executor_run(void *context)
{
	struct executor *executor = context;
	struct taken taken;

	while (executor_take_reads(executor, &taken)) {
		enum err err = taken.late ? ERR_TIMEOUT : executor_attempt(executor, &taken);

		if (!finish_or_requeue(executor->all, &taken, err))
			reads_finish(&taken, err);
	}
	return NULL;
}

enum err read_threads_new(struct store *store, unsigned count,
			  struct read_threads **read_threads_out)
{
	struct read_threads *all = calloc(1, sizeof(*all) + count * sizeof(all->read_threads[0]));

	if (!all)
		return ERR_NOMEM;
	all->store = store;
	for (size_t i = 0; i < FIELD_COUNT(all->groups); i++)
		TAILQ_INIT(&all->groups[i].reads);
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->wake, NULL);
	for (; all->count < count; all->count++) {
		struct executor *executor = &all->read_threads[all->count];

		executor->all = all;
		executor->takes_long = all->count > 0 || count == 1;
		if (pthread_create(&executor->thread, NULL, executor_run, executor)) {
			read_threads_free(all);
			return ERR_NOMEM;
		}
	}
	*read_threads_out = all;
	return OK;
}

void read_threads_stop(struct read_threads *all)
{
	bool stopped;

	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	stopped = all->stopping;
	all->stopping = true;
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < all->count && !stopped; i++)
		pthread_join(all->read_threads[i].thread, NULL);
}

void read_threads_free(struct read_threads *all)
{
	if (!all)
		return;
	read_threads_stop(all);
	for (size_t i = 0; i < all->count; i++)
		all->store->driver->close(all->read_threads[i].db);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
