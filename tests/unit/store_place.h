/* SPDX-License-Identifier: MIT */
/* A store in a temporary folder, with one account. Include after cmocka.h. */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include "accounts/accounts.h"
#include "lists/lists.h"
#include "place.h"
#include "place/place.h"
#include "samples/samples.h"
#include "store/state.h"

#define QUEUE 64

static inline struct store *open_store(const char *folder)
{
	const struct store_config config = {
		.folder = folder,
		.clock = &system_clock,
		.readers = 1,
		.read_budget_ms = 2000,
		.queue_limit = QUEUE,
	};
	struct buf why = {0};
	struct store *store = NULL;

	if (store_open(&config, &store, &why))
		print_message("%.*s\n", (int)why.len, why.ptr);
	buf_release(&why);
	return store;
}

static inline bool take_token(void *context)
{
	(void)context;
	return true;
}

static inline enum err create_store(const char *folder)
{
	static const unsigned char hash[TOKEN_HASH_BYTES] = {1, 2, 3};
	struct buf why = {0};
	struct staff staff;
	struct store_first first = {.account = "main", .staff = &staff, .hand_over = take_token};
	enum err err;

	token_init(&first.token, "test", hash);
	record_clear(&staff_type, &staff);
	staff.username = SLICE("admin");
	err = store_create(&(struct store_config){.folder = folder, .clock = &system_clock}, &first,
			   &why);
	buf_release(&why);
	return err;
}

/* A script that makes the tallies of account 1, for a test that writes tasks itself. */
#define FILL_TALLIES                                                                  \
	"INSERT INTO task_tally (account_id, block, field, value, tasks)"             \
	" SELECT 1, id / 4096, 0, status, count(*) FROM task GROUP BY 2, 4 UNION ALL" \
	" SELECT 1, id / 4096, 1, calendar_id, count(*) FROM task GROUP BY 2, 4"      \
	" UNION ALL SELECT 1, id / 4096, 2, alert_at IS NOT NULL, count(*) FROM task" \
	" GROUP BY 2, 4;"                                                             \
	"INSERT INTO task_tally_sum (account_id, block, field, value, tasks)"         \
	" SELECT account_id, block / 32, field, value, sum(tasks) FROM task_tally"    \
	" GROUP BY 1, 2, 3, 4"

/* Setup and teardown for cmocka: an open store in a folder, and the scope of its first user. */
struct store_place {
	char folder[PLACE_BYTES];
	struct store *store;
	struct scope scope;
};

static inline int store_place_make(void **state)
{
	struct store_place *place = calloc(1, sizeof(*place));

	place_make(place->folder);
	assert_int_equal(create_store(place->folder), OK);
	place->store = open_store(place->folder);
	assert_non_null(place->store);
	place->scope = (struct scope){1, 1};
	*state = place;
	return 0;
}

/* The same with the sample records that `docket demo` makes first. */
static inline int store_place_make_samples(void **state)
{
	struct store_place *place;
	bool made = false;

	store_place_make(state);
	place = *state;
	assert_int_equal(store_demo_records(place->store, &place->scope, &made), OK);
	assert_true(made);
	return 0;
}

static inline int store_place_remove(void **state)
{
	struct store_place *place = *state;

	store_close(place->store);
	place_remove(place->folder);
	free(place);
	return 0;
}

/* Reads a page, or counts if `count_out` is not NULL, and waits for the result. */
static inline enum err read_list(struct store *store, const struct scope *scope,
				 enum record_kind kind, const struct list_query *query,
				 struct arena *arena, const struct list_sink *sink, bool *more_out,
				 int64_t *count_out)
{
	struct list_read list;
	enum err err;

	list_read_init(&list, kind, arena);
	list.scope = *scope;
	list.query = query;
	if (sink)
		list.sink = *sink;
	list.counts = count_out != NULL;
	err = store_do(store, &list.read);
	if (more_out)
		*more_out = list.more;
	if (count_out)
		*count_out = list.count;
	return err;
}

#endif
