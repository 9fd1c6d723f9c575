/* SPDX-License-Identifier: MIT */
/* docket demo: makes sample records. It makes many of them in each transaction. */
#include "demo/demo.h"

#include "admin/admin.h"
#include "base/log.h"
#include "demo_private.h"
#include "place/place.h"
#include "samples/samples.h"

#define BATCH 16384

uint32_t roll(struct dice *dice, uint32_t sides)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) % sides);
}

uint32_t roll_low(struct dice *dice, uint32_t sides, unsigned power)
{
	const uint32_t fine = UINT32_C(1) << 30;
	double part = (double)roll(dice, fine) / fine, product = part;

	while (--power)
		product *= part;
	return (uint32_t)(product * sides);
}

int64_t demo_age(const struct demo *demo, int64_t n)
{
	double left = (double)(demo->tasks - n) / (double)demo->tasks;

	return (int64_t)(left * (1 + left) / 2 * (2 * 365) * DAY);
}

static enum err demo_make_batch(struct demo *demo, int64_t first, size_t count, demo_make_fn *make)
{
	struct store_write *writes[BATCH];
	struct arena arena = {0};
	enum err err = OK;

	for (size_t i = 0; i < count && !err; i++) {
		struct faults *faults = arena_alloc(&arena, sizeof(*faults));

		writes[i] = faults ? make(demo, first + (int64_t)i, &arena) : NULL;
		if (!writes[i]) {
			err = ERR_NOMEM;
			break;
		}
		faults_init(faults, &arena);
		writes[i]->scope = demo->scope;
		writes[i]->arena = &arena;
		writes[i]->faults = faults;
	}
	if (!err)
		err = store_run(demo->store, writes, count);
	for (size_t i = 0; i < count && !err; i++)
		err = writes[i]->err ? writes[i]->err : writes[i]->faults->count ? ERR_INVALID : OK;
	arena_release(&arena);
	return err;
}

enum err demo_make(struct demo *demo, const char *what, int64_t count, demo_make_fn *make)
{
	struct progress progress;
	enum err err = OK;

	progress_begin(&progress, what, count);
	for (int64_t made = 0; made < count && !err;) {
		size_t size = count - made < BATCH ? (size_t)(count - made) : BATCH;

		err = demo_make_batch(demo, made, size, make);
		made += (int64_t)size;
		progress_show(&progress, made);
	}
	progress_end(&progress);
	return err;
}

enum err demo_fill(struct store *store, int64_t account_id, int64_t tasks, bool *made_out)
{
	struct demo demo = {
		.store = store,
		.scope = {.account_id = account_id, .staff_id = 1},
		.now = clock_now(&system_clock),
		.tasks = tasks,
	};
	enum err err = store_demo_records(store, &demo.scope, made_out);

	if (err == ERR_EXISTS) {
		log_line("the account has records of its own; sample records need a new account");
		return err;
	}
	if (!err)
		err = demo_make_cast(&demo);
	if (!err)
		err = demo_make(&demo, "tasks", demo.tasks, demo_make_task);
	if (!err)
		err = store_demo_alerts(store, &demo.scope);
	if (!err)
		store_analyze(store);
	if (err)
		log_line("cannot make the sample records: %s", err_text(err));
	arena_release(&demo.arena);
	return err;
}

static enum err demo_fill_account(const struct settings *settings, struct store *store)
{
	int64_t tasks = settings->number[SETTING_TASKS];
	struct arena arena = {0};
	struct account account;
	bool made = false;
	enum err err = ERR_NOT_FOUND;

	if (admin_account(settings, store, &arena, &account))
		err = demo_fill(store, account.id, tasks, &made);
	if (!err)
		fprintf(stderr, "made %s%lld tasks\n", made ? "the sample records and " : "",
			(long long)tasks);
	arena_release(&arena);
	return err;
}

enum exit_status command_demo(const struct settings *settings)
{
	struct store_config config = {.readers = 1};
	struct buf why = {0};
	struct store *store;
	enum err err;

	admin_locate(settings, &config);
	err = store_open(&config, &store, &why);
	if (err) {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : "");
	} else {
		err = demo_fill_account(settings, store);
		store_close(store);
	}
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
