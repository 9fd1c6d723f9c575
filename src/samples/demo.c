/* SPDX-License-Identifier: MIT */
/* The sample records, with the ids in the example of the Trackops Tasks API, so that the example
 * works as it is. */
#include "accounts/account_calendar.h"
#include "base/text.h"
#include "base/timefmt.h"

#include "model/case_service.h"
#include "model/casefile.h"
#include "model/staff.h"
#include "model/subject.h"
#include "records/record_change.h"
#include "samples/samples.h"

struct demo_write {
	struct store_write write;
	bool found;   /* they exist already */
	bool foreign; /* the account has records of its own */
	/* Of the account's first staff member; "": there is none. */
	struct slice username_key, username_skeleton;
};

#define CASE_NUMBER "DEMO-245"

static enum err demo_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	*(bool *)context = slice_is(values[0].bytes, CASE_NUMBER);
	return OK;
}

static enum err username_row(void *context, const struct db_value *values, size_t count)
{
	struct demo_write *demo = context;
	const char *key = arena_copy(demo->write.arena, values[0].bytes);
	const char *skeleton = arena_copy(demo->write.arena, values[1].bytes);

	(void)count;
	if (!key || !skeleton)
		return ERR_NOMEM;
	demo->username_key = (struct slice){key, values[0].bytes.len};
	demo->username_skeleton = (struct slice){skeleton, values[1].bytes.len};
	return OK;
}

static enum err demo_read(struct store_write *write, struct calls *calls)
{
	struct demo_write *demo = (struct demo_write *)(void *)write;
	const struct db_value account = DB_INT_VALUE(write->scope.account_id);
	enum err err =
		calls_ask(calls,
			  "SELECT case_number FROM casefile WHERE account_id = $1 AND id = 245",
			  demo_row, &demo->found, account);

	return err ? err
		   : calls_ask(calls,
			       "SELECT username_key, username_skeleton FROM staff"
			       " WHERE account_id = $1 AND id = 1",
			       username_row, demo, account);
}

/* Inserts a staff member; with another user name, if the first staff member has the same or one
 * that looks like it. */
static enum err demo_insert_staff(struct demo_write *demo, struct staff staff, struct calls *calls)
{
	struct arena *arena = demo->write.arena;
	struct slice skeleton;
	enum err err = text_skeleton(arena, staff.username, &skeleton);

	if (!err && (slice_eq(staff.username, demo->username_key) ||
		     slice_eq(skeleton, demo->username_skeleton))) {
		staff.username = slice_of(arena_printf(arena, "%s2", staff.username.ptr));
		err = staff.username.ptr ? OK : ERR_NOMEM;
	}
	return err ? err : record_insert_copy(&demo->write, RECORD_STAFF, &staff, calls);
}

static enum err demo_insert_case(struct store_write *write, int64_t n, struct calls *calls)
{
	static const struct case_service services[] = {
		{.record.id = 1, .name = SLICE("Surveillance")},
		{.record.id = 2, .name = SLICE("Background check")},
	};
	static const struct subject subjects[] = {
		{.record.id = 209,
		 .casefile_id = 245,
		 .first_name = SLICE("Sample"),
		 .last_name = SLICE("Subject"),
		 .is_primary = 1},
		{.record.id = 210,
		 .casefile_id = 246,
		 .first_name = SLICE("Second"),
		 .last_name = SLICE("Subject"),
		 .is_primary = 1},
	};
	int64_t attached[] = {n + 1};
	const struct casefile casefile = {
		.record.id = 245 + n,
		.case_number = slice_of(n ? "DEMO-246" : CASE_NUMBER),
		.status = CASEFILE_OPEN,
		.created_on = DATE_NONE,
		.due_on = DATE_NONE,
		.case_services_list = {.ids = attached, .count = 1},
	};
	enum err err = record_insert_copy(write, RECORD_CASE_SERVICE, &services[n], calls);

	if (!err)
		err = record_insert_copy(write, RECORD_CASEFILE, &casefile, calls);
	return err ? err : record_insert_copy(write, RECORD_SUBJECT, &subjects[n], calls);
}

static enum err demo_decide(struct store_write *write, struct calls *calls)
{
	static const struct staff staff[] = {
		{.record.id = 2,
		 .username = SLICE("second"),
		 .first_name = SLICE("Sample"),
		 .last_name = SLICE("Investigator"),
		 .email = SLICE("second@example.com"),
		 .access_level = STAFF_LIMITED},
		{.record.id = 3,
		 .username = SLICE("third"),
		 .first_name = SLICE("Sample"),
		 .last_name = SLICE("Assistant"),
		 .email = SLICE("third@example.com"),
		 .access_level = STAFF_LIMITED},
	};
	struct demo_write *demo = (struct demo_write *)(void *)write;
	enum err err = OK;

	if (demo->found)
		return OK;
	/* A new account has a staff member and a calendar. */
	for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++)
		demo->foreign |= write->account->last_id[kind] >
				 (kind == RECORD_STAFF || kind == RECORD_CALENDAR);
	if (demo->foreign)
		return OK;
	for (size_t i = 0; i < FIELD_COUNT(staff) && !err; i++)
		err = demo_insert_staff(demo, staff[i], calls);
	if (!err && !write->account->last_id[RECORD_CALENDAR])
		err = account_insert_calendar(write, calls);
	for (int64_t n = 0; n < 2 && !err; n++)
		err = demo_insert_case(write, n, calls);
	return err;
}

enum err store_demo_records(struct store *store, const struct scope *scope, bool *made_out)
{
	static const struct write_steps steps = {.read = demo_read, .decide = demo_decide};
	struct arena arena = {0};
	struct faults faults;
	struct demo_write demo = {
		.write = {.scope = *scope, .arena = &arena, .faults = &faults, .steps = &steps}};
	struct store_write *one = &demo.write;
	enum err err;

	faults_init(&faults, &arena);
	err = store_run(store, &one, 1);
	arena_release(&arena);
	if (!err && demo.foreign)
		return ERR_EXISTS;
	if (!err)
		*made_out = !demo.found;
	return err;
}
