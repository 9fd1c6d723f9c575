/* SPDX-License-Identifier: MIT */
/* What the files of docket demo share. */
#ifndef DEMO_DEMO_PRIVATE_H
#define DEMO_DEMO_PRIVATE_H

#include "base/array.h"
#include "store/store.h"

#define DAY 86400

#define DEMO_CALENDARS 12
#define DEMO_SERVICES 8
#define DEMO_STAFF 203
#define DEMO_SUBJECTS 2 /* of one case */

#define TASKS_PER_CASE 40
#define TASKS_PER_STAFF 2000

/* A case that tasks go to. */
struct demo_case {
	int64_t id;
	int64_t subjects[DEMO_SUBJECTS]; /* ID_NONE if there is no second */
	uint32_t services;               /* those attached to it: bit i is demo.services[i] */
};

/* One run. The arrays of ids begin with those of the base records. */
struct demo {
	struct store *store;
	struct scope scope;
	struct arena arena; /* what lives as long as the run */
	int64_t now;
	int64_t tasks;
	int64_t calendars[DEMO_CALENDARS];
	int64_t services[DEMO_SERVICES];
	int64_t staff[DEMO_STAFF];
	struct demo_case *cases; /* the older come first */
	size_t calendar_count, service_count, staff_count, case_count;
};

/* Pseudorandom numbers from a seed (SplitMix64). */
struct dice {
	uint64_t state;
};

/* A number from 0 to `sides` - 1, all equally probable. */
uint32_t roll(struct dice *dice, uint32_t sides);

/* The same, but lower numbers are more probable if `power` is above 1. A higher power makes them
 * more probable. */
uint32_t roll_low(struct dice *dice, uint32_t sides, unsigned power);

#define PICK(dice, list) ((list)[roll((dice), COUNT_OF(list))])
#define PICK_LOW(dice, list) ((list)[roll_low((dice), COUNT_OF(list), 2)])

/* How long ago task `n` was made, in seconds: up to two years. The agency grows: newer tasks come
 * faster. */
int64_t demo_age(const struct demo *demo, int64_t n);

/* Returns the write that makes record number `n` of a kind; NULL if memory runs out. */
typedef struct store_write *demo_make_fn(struct demo *demo, int64_t n, struct arena *arena);

/* Makes records 0 to `count` - 1, many in one transaction. */
enum err demo_make(struct demo *demo, const char *what, int64_t count, demo_make_fn *make);

/* Makes the records that tasks refer to, besides the base records. */
enum err demo_make_cast(struct demo *demo);

/* Returns the write that makes task `n`. What the task points at is in the arena or static. Older
 * tasks have lower numbers. */
struct store_write *demo_make_task(struct demo *demo, int64_t n, struct arena *arena);

#endif
