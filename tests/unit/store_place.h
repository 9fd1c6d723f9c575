/* SPDX-License-Identifier: MIT */
/* A store in a temporary folder, with one account. Include after cmocka.h. */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include "place.h"
#include "store/store_private.h"

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
	err = store_create(folder, &system_clock, &first, &why);
	buf_release(&why);
	return err;
}

#endif
