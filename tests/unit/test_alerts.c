/* SPDX-License-Identifier: MIT */
/* The ledger of alerts: leases, outcomes, attempts and times, by a clock that the test sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alerts/alerts.h"
#include "base/timefmt.h"
#include "records/records.h"
#include "samples/samples.h"
#include "store_place.h"

#define LEASE_S 100
#define DAY ALERT_GIVEN_UP_S

struct hand {
	struct clock clock;
	int64_t now;
};

static int64_t hand_now(const struct clock *clock)
{
	return ((const struct hand *)(const void *)clock)->now;
}

static struct hand hand = {.clock = {hand_now}};

static struct store *open_by_hand(const char *folder)
{
	const struct store_config config = {
		.folder = folder, .clock = &hand.clock, .readers = 1, .queue_limit = QUEUE};
	struct buf why = {0};
	struct store *store = NULL;

	assert_int_equal(store_open(&config, &store, &why), OK);
	buf_release(&why);
	return store;
}

static int make_place(void **state)
{
	struct store_place *place;

	store_place_make_samples(state);
	place = *state;
	store_close(place->store);
	hand.now = clock_now(&system_clock) + 1000;
	place->store = open_by_hand(place->folder);
	return 0;
}

/* All that a test needs for one write. */
struct one {
	struct arena arena;
	struct faults faults;
};

static void write_it(const struct store_place *place, struct store_write *write, struct one *one)
{
	faults_init(&one->faults, &one->arena);
	write->arena = &one->arena;
	write->faults = &one->faults;
	assert_int_equal(store_write(place->store, write), OK);
	assert_int_equal(one->faults.count, 0);
}

/* Creates a task with an alert for staff members 1, 2 and 3; only 2 and 3 have an address. */
static int64_t make_task(const struct store_place *place, int64_t alert_at)
{
	int64_t ids[] = {1, 2, 3};
	struct one one = {0};
	struct record_write create;
	struct task task;
	int64_t id;

	record_clear(&task_type, &task);
	task.casefile_id = 245;
	task.calendar_id = 1;
	task.due_on = 19000;
	task.title = SLICE("A task");
	task.alert_at = alert_at;
	task.users_list = (struct id_list){.ids = ids, .count = 3};
	record_write_init(&create, RECORD_TASK, RECORD_CREATE);
	create.record = &task;
	create.given = UINT64_MAX;
	create.write.scope = place->scope;
	write_it(place, &create.write, &one);
	id = task.record.id;
	arena_release(&one.arena);
	return id;
}

static void change_task(const struct store_place *place, int64_t id, const struct task *changes,
			const char *field)
{
	struct one one = {0};
	struct record_write change;
	struct task task;

	record_clear(&task_type, &task);
	record_write_init(&change, RECORD_TASK, RECORD_UPDATE);
	change.id = id;
	change.record = &task;
	change.changes = changes;
	change.given = field_bit(&task_type, field);
	change.write.scope = place->scope;
	write_it(place, &change.write, &one);
	assert_true(change.found);
	arena_release(&one.arena);
}

static struct alerts_leased lease(const struct store_place *place, struct arena *arena)
{
	const struct alerts_want want = {.most = 10, .seconds = LEASE_S, .mail = true};
	struct alerts_leased leased;

	assert_int_equal(alerts_lease(place->store, &want, arena, &leased), OK);
	assert_int_equal(leased.now, hand.now);
	return leased;
}

static bool record(const struct store_place *place, const struct alert_lease *of,
		   enum alert_outcome outcome, const char *answer)
{
	struct one one = {0};
	struct alert_record record;

	alert_record_init(&record, of);
	record.outcome = outcome;
	record.reason = outcome == ALERT_NOT_SENT ? ALERT_NO_ADDRESS : ALERT_CAPPED;
	record.wait_s = 5;
	record.answer = slice_of(answer);
	write_it(place, &record.write, &one);
	arena_release(&one.arena);
	return record.recorded;
}

static enum err keep_row(void *context, const struct db_value *values, size_t count)
{
	struct alert_row *row = context;

	(void)count;
	row->state = (enum alert_state)values[0].integer;
	row->reason = (enum alert_reason)values[1].integer;
	row->attempts = values[2].integer;
	row->due_at = values[3].type == DB_NULL ? TIME_NONE : values[3].integer;
	row->ended_at = values[4].type == DB_NULL ? TIME_NONE : values[4].integer;
	row->key.staff_id = (int64_t)values[5].bytes.len;
	return OK;
}

/* The row of a staff member; the length of its answer is in key.staff_id. */
static struct alert_row row_of(const struct store_place *place, int64_t task, int64_t staff)
{
	const struct db_value args[] = {DB_INT_VALUE(task), DB_INT_VALUE(staff)};
	struct alert_row row = {.state = ALERT_STATES};
	const struct db_call call = {"SELECT state, reason, attempts, due_at, ended_at, answer"
				     " FROM alert WHERE task_id = $1 AND staff_id = $2",
				     args, 2, keep_row, &row};

	assert_int_equal(store_read_now(place->store, &call, 1), OK);
	return row;
}

static int64_t number(const struct store_place *place, const char *sql)
{
	int64_t found = TIME_NONE;
	const struct db_call call = {.sql = sql, .on_row = db_number, .context = &found};

	assert_int_equal(store_read_now(place->store, &call, 1), OK);
	return found;
}

static void due_at_its_time(void **state)
{
	const struct store_place *place = *state;
	int64_t at = hand.now + 10, task = make_task(place, at);
	struct arena arena = {0};
	struct alerts_leased leased;
	struct alert alert;

	hand.now = at - 1;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 0);
	assert_int_equal(leased.wait_s, 1);
	hand.now = at;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 3);
	assert_int_equal(leased.wait_s, LEASE_S);
	assert_int_equal(lease(place, &arena).count, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(leased.list[i].attempt, 1);
		assert_int_equal(alert_load(place->store, &leased.list[i], &arena, &alert), OK);
		assert_int_equal(alert.reason, i ? ALERT_NO_REASON : ALERT_NO_ADDRESS);
		assert_int_equal(alert.task->record.id, task);
		assert_int_equal(alert.staff->record.id, i + 1);
		assert_int_equal(alert.casefile->record.id, 245);
		assert_non_null(alert.calendar);
		assert_null(alert.subject);
		assert_null(alert.case_service);
		assert_true(slice_is(alert.account.name, "main"));
	}
	arena_release(&arena);
}

static void the_first_accepted_marks_the_task(void **state)
{
	const struct store_place *place = *state;
	int64_t at = hand.now, task = make_task(place, at);
	struct arena arena = {0};
	struct alerts_leased leased = lease(place, &arena);
	struct alert_row row;
	int64_t before;

	assert_true(record(place, &leased.list[0], ALERT_NOT_SENT, ""));
	assert_int_equal(number(place, "SELECT max(alert_sent_at) FROM task"), TIME_NONE);
	hand.now = at + 3;
	assert_true(record(place, &leased.list[1], ALERT_ACCEPTED, "250 2.0.0\r\nOk\x80"));
	row = row_of(place, task, 2);
	assert_int_equal(row.state, ALERT_SENT);
	assert_int_equal(row.ended_at, at + 3);
	assert_int_equal(row.key.staff_id, 14);
	assert_int_equal(number(place, "SELECT alert_sent_at FROM task"), at + 3);
	assert_int_equal(number(place, "SELECT count(*) FROM history WHERE record = 'task'"
				       " AND action = 'update' AND staff_id IS NULL"),
			 1);
	before = number(place, "SELECT last_change FROM account_state");
	hand.now = at + 9;
	assert_true(record(place, &leased.list[2], ALERT_ACCEPTED, "250 Ok"));
	/* A second time it changes nothing. */
	assert_false(record(place, &leased.list[2], ALERT_ACCEPTED, "250 Ok"));
	assert_false(record(place, &leased.list[2], ALERT_TRY_AGAIN, "451 later"));
	assert_int_equal(row_of(place, task, 3).ended_at, at + 9);
	assert_int_equal(number(place, "SELECT alert_sent_at FROM task"), at + 3);
	assert_int_equal(number(place, "SELECT last_change FROM account_state"), before);
	row = row_of(place, task, 1);
	assert_int_equal(row.state, ALERT_SKIPPED);
	assert_int_equal(row.reason, ALERT_NO_ADDRESS);
	assert_int_equal(lease(place, &arena).wait_s, -1);
	arena_release(&arena);
}

/* The waits grow from a minute to an hour. The last attempt is less than a day late. */
static void it_is_tried_again(void **state)
{
	const struct store_place *place = *state;
	static const int64_t waits[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
	int64_t at = hand.now, task = make_task(place, at), attempts = 0;
	struct arena arena = {0};
	struct alert_row row = {.state = ALERT_WAITING};
	struct alerts_leased leased;

	leased = lease(place, &arena);
	assert_true(record(place, &leased.list[0], ALERT_NOT_SENT, ""));
	assert_true(record(place, &leased.list[1], ALERT_REFUSED_FOR_GOOD, "550 No"));
	assert_int_equal(row_of(place, task, 2).state, ALERT_FAILED);
	assert_int_equal(row_of(place, task, 2).reason, ALERT_REFUSED);
	while (row.state == ALERT_WAITING) {
		struct alert_lease *last = &leased.list[leased.count - 1];

		assert_int_equal(last->attempt, ++attempts);
		assert_true(record(place, last, ALERT_TRY_AGAIN, "451 4.7.1 Later"));
		row = row_of(place, task, 3);
		if (row.state != ALERT_WAITING)
			break;
		assert_int_equal(row.reason, ALERT_RETRY);
		if (attempts <= (int64_t)COUNT_OF(waits))
			assert_int_equal(row.due_at - hand.now, waits[attempts - 1]);
		hand.now = row.due_at - 1;
		assert_int_equal(lease(place, &arena).count, 0);
		hand.now++;
		leased = lease(place, &arena);
		assert_int_equal(leased.count, 1);
	}
	assert_int_equal(row.state, ALERT_FAILED);
	assert_int_equal(row.reason, ALERT_GIVEN_UP);
	assert_true(hand.now < at + DAY && hand.now >= at + DAY - 3600);
	arena_release(&arena);
}

/* At most three copies arrive. Other failures do not count. */
static void nobody_knows(void **state)
{
	static const enum alert_outcome outcomes[] = {ALERT_UNCERTAIN, ALERT_TRY_AGAIN,
						      ALERT_UNCERTAIN, ALERT_TRY_AGAIN,
						      ALERT_UNCERTAIN};
	const struct store_place *place = *state;
	int64_t task = make_task(place, hand.now);
	struct arena arena = {0};
	struct alert_row row = {0};

	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		struct alerts_leased leased = lease(place, &arena);

		assert_int_equal(row.state, ALERT_WAITING);
		assert_true(record(place, &leased.list[leased.count - 1], outcomes[i], "Lost"));
		row = row_of(place, task, 3);
		hand.now = row.due_at;
	}
	assert_int_equal(row.state, ALERT_FAILED);
	assert_int_equal(row.reason, ALERT_PERHAPS_SENT);
	arena_release(&arena);
}

static void a_dead_senders_lease_is_taken_over(void **state)
{
	const struct store_place *place = *state;
	int64_t task = make_task(place, hand.now);
	struct arena arena = {0};
	struct alerts_leased dead = lease(place, &arena), next;
	struct alert alert;

	hand.now += LEASE_S - 1;
	assert_int_equal(lease(place, &arena).wait_s, 1);
	assert_int_equal(alert_load(place->store, &dead.list[1], &arena, &alert), OK);
	hand.now++;
	assert_int_equal(alert_load(place->store, &dead.list[1], &arena, &alert), ERR_NOT_FOUND);
	next = lease(place, &arena);
	assert_int_equal(next.count, 3);
	assert_int_equal(next.list[2].attempt, 2);
	/* The first sender was only slow. Its message counts; its failure does not. */
	assert_false(record(place, &dead.list[1], ALERT_TRY_AGAIN, "451 later"));
	assert_false(record(place, &dead.list[1], ALERT_GIVEN_BACK, ""));
	assert_int_equal(alert_load(place->store, &dead.list[1], &arena, &alert), ERR_NOT_FOUND);
	assert_int_equal(alert_load(place->store, &next.list[1], &arena, &alert), OK);
	assert_true(record(place, &dead.list[2], ALERT_ACCEPTED, "250 Ok"));
	assert_false(record(place, &next.list[2], ALERT_REFUSED_FOR_GOOD, "550 No"));
	assert_int_equal(row_of(place, task, 3).state, ALERT_SENT);
	arena_release(&arena);
}

static void reopen(struct store_place *place)
{
	store_close(place->store);
	place->store = open_by_hand(place->folder);
	assert_int_equal(alerts_recover(place->store), OK);
}

static void a_restart_takes_over_at_once(void **state)
{
	struct store_place *place = *state;
	struct arena arena = {0};

	make_task(place, hand.now);
	assert_int_equal(lease(place, &arena).count, 3);
	assert_int_equal(lease(place, &arena).count, 0);
	reopen(place);
	assert_int_equal(lease(place, &arena).count, 3);
	arena_release(&arena);
}

/* A clock that was ahead has leased a row before its time, and put off another for too long. */
static void a_restart_repairs_what_a_wrong_clock_did(void **state)
{
	struct store_place *place = *state;
	int64_t at = hand.now, soon = make_task(place, at + 50), now = make_task(place, at);
	struct arena arena = {0};
	struct alerts_leased leased;

	hand.now = at + DAY - 1;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 6);
	assert_true(record(place, &leased.list[0], ALERT_GIVEN_BACK, ""));
	hand.now = at + 1;
	reopen(place);
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 3);
	for (int64_t staff = 1; staff <= 3; staff++) {
		assert_int_equal(row_of(place, now, staff).state, ALERT_LEASED);
		assert_int_equal(row_of(place, soon, staff).due_at, at + 50);
	}
	arena_release(&arena);
}

static void given_back(void **state)
{
	const struct store_place *place = *state;
	int64_t task = make_task(place, hand.now);
	struct arena arena = {0};
	struct alerts_leased leased = lease(place, &arena);
	struct alert_row row;

	assert_true(record(place, &leased.list[1], ALERT_GIVEN_BACK, ""));
	row = row_of(place, task, 2);
	assert_int_equal(row.state, ALERT_WAITING);
	assert_int_equal(row.reason, ALERT_CAPPED);
	assert_int_equal(row.attempts, 0);
	assert_int_equal(row.due_at, hand.now + 5);
	assert_int_equal(lease(place, &arena).wait_s, 5);
	hand.now += 5;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 1);
	assert_int_equal(leased.list[0].attempt, 1);
	arena_release(&arena);
}

/* A day late: what was tried has failed, what was not is skipped. */
static void too_late(void **state)
{
	const struct store_place *place = *state;
	int64_t at = hand.now, task = make_task(place, at);
	struct arena arena = {0};
	struct alerts_leased leased = lease(place, &arena);

	assert_true(record(place, &leased.list[1], ALERT_GIVEN_BACK, ""));
	hand.now = at + DAY - 1;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 3);
	assert_true(record(place, &leased.list[0], ALERT_GIVEN_BACK, ""));
	hand.now = at + DAY + LEASE_S;
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 0);
	assert_int_equal(leased.skipped, 1);
	assert_int_equal(leased.given_up, 2);
	assert_int_equal(leased.wait_s, -1);
	for (int64_t staff = 1; staff <= 3; staff++) {
		struct alert_row row = row_of(place, task, staff);
		bool tried = row.attempts > 0;

		assert_int_equal(tried, staff != 2);
		assert_int_equal(row.state, tried ? ALERT_FAILED : ALERT_SKIPPED);
		assert_int_equal(row.reason, tried ? ALERT_GIVEN_UP : ALERT_TOO_LATE);
		assert_int_equal(row.ended_at, hand.now);
	}
	arena_release(&arena);
}

/* It ends all, whatever `most` is. */
static void without_mail(void **state)
{
	const struct store_place *place = *state;
	const struct alerts_want want = {.most = 2, .seconds = LEASE_S};
	int64_t task = make_task(place, hand.now);
	struct arena arena = {0};
	struct alerts_leased leased;

	make_task(place, hand.now + 1);
	assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
	assert_int_equal(leased.count, 0);
	assert_int_equal(leased.skipped, 3);
	assert_int_equal(leased.wait_s, 1);
	for (int64_t staff = 1; staff <= 3; staff++) {
		assert_int_equal(row_of(place, task, staff).state, ALERT_SKIPPED);
		assert_int_equal(row_of(place, task, staff).reason, ALERT_NO_MAIL);
	}
	arena_release(&arena);
}

/* What is a day late ends many at a time, and does not hold up what is due now. */
static void old_rows_hold_up_nothing(void **state)
{
	const struct store_place *place = *state;
	const struct alerts_want want = {.most = 1, .seconds = LEASE_S, .mail = true};
	struct arena arena = {0};
	struct alerts_leased leased;
	int64_t now;

	for (int i = 0; i < 100; i++)
		make_task(place, hand.now);
	hand.now += DAY;
	now = make_task(place, hand.now);
	assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
	assert_int_equal(leased.count, 1);
	assert_int_equal(leased.list[0].key.task_id, now);
	assert_int_equal(leased.skipped, 256);
	assert_int_equal(leased.wait_s, 0);
	leased = lease(place, &arena);
	assert_int_equal(leased.count, 2);
	assert_int_equal(leased.skipped, 300 - 256);
	assert_int_equal(leased.wait_s, LEASE_S);
	arena_release(&arena);
}

/* A second account, with the sample records. */
static void make_account(const struct store_place *place, struct store_place *made)
{
	static const unsigned char hash[TOKEN_HASH_BYTES] = {4, 5, 6};
	struct one one = {0};
	struct account_create create;
	struct staff staff;
	bool samples;

	record_clear(&staff_type, &staff);
	staff.username = SLICE("admin");
	account_create_init(&create);
	create.name = "second";
	create.staff = &staff;
	token_init(&create.token, "test", hash);
	write_it(place, &create.write, &one);
	*made = *place;
	made->scope = (struct scope){create.write.scope.account_id, 1};
	assert_int_equal(store_demo_records(made->store, &made->scope, &samples), OK);
	arena_release(&one.arena);
}

/* The account of the rows that a lease has got; ID_NONE: none or several. */
static int64_t account_of(const struct alerts_leased *leased)
{
	int64_t id = leased->count ? leased->list[0].key.account_id : ID_NONE;

	for (size_t i = 0; i < leased->count; i++)
		if (leased->list[i].key.account_id != id)
			id = ID_NONE;
	return id;
}

static void accounts_take_turns(void **state)
{
	const struct store_place *place = *state;
	struct store_place second;
	struct alerts_turns turns = {0};
	const struct alerts_want want = {
		.most = 4, .seconds = LEASE_S, .mail = true, .turns = &turns};
	struct arena arena = {0};
	struct alerts_leased leased;

	make_account(place, &second);
	for (int i = 0; i < 6; i++)
		make_task(place, hand.now - 10);
	make_task(&second, hand.now);
	/* A round begins at most once a second: the second account waits in the leases 3 to 5. */
	for (int turn = 1; turn <= 6; turn++) {
		bool seconds = turn == 2 || turn == 6;

		assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
		assert_int_equal(leased.count, seconds ? 3 : 4);
		assert_int_equal(account_of(&leased),
				 seconds ? second.scope.account_id : place->scope.account_id);
		assert_int_equal(leased.wait_s, 0);
		if (turn == 2)
			make_task(&second, hand.now);
		hand.now += turn == 4;
	}
	assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
	assert_int_equal(leased.count, 2);
	assert_int_equal(leased.wait_s, LEASE_S - 1);
	buf_release(&turns.served);
	arena_release(&arena);
}

static void some_accounts_wait(void **state)
{
	const struct store_place *place = *state;
	const int64_t account = 1;
	struct alerts_want want = {
		.most = 5, .seconds = LEASE_S, .mail = true, .except = &account, .except_count = 1};
	struct arena arena = {0};
	struct alerts_leased leased;

	make_task(place, hand.now);
	assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
	assert_int_equal(leased.count, 0);
	assert_int_equal(leased.wait_s, -1);
	want.except_count = 0;
	assert_int_equal(alerts_lease(place->store, &want, &arena, &leased), OK);
	assert_int_equal(leased.count, 3);
	arena_release(&arena);
}

static void the_task_changes_meanwhile(void **state)
{
	const struct store_place *place = *state;
	const struct task complete = {.status = TASK_COMPLETE}, moved = {.alert_at = hand.now + 50};
	int64_t task = make_task(place, hand.now);
	struct arena arena = {0};
	struct alerts_leased leased = lease(place, &arena);
	struct alert alert;

	change_task(place, task, &complete, "status");
	assert_int_equal(alert_load(place->store, &leased.list[1], &arena, &alert), ERR_NOT_FOUND);
	assert_false(record(place, &leased.list[1], ALERT_TRY_AGAIN, "451 later"));
	assert_int_equal(row_of(place, task, 2).state, ALERT_CANCELLED);
	/* What was accepted before anybody could stop it is told as it is. */
	change_task(place, task, &moved, "alert_at");
	assert_true(record(place, &leased.list[2], ALERT_ACCEPTED, "250 Ok"));
	assert_int_equal(row_of(place, task, 3).state, ALERT_SENT);
	assert_int_equal(number(place, "SELECT alert_sent_at FROM task"), TIME_NONE);
	arena_release(&arena);
}

static void tell(void *context, int64_t at)
{
	*(int64_t *)context = at;
}

/* The call comes before the write is done, so the test needs no lock. */
static void who_waits_is_told(void **state)
{
	const struct store_place *place = *state;
	struct task title = {.title = SLICE("Another")};
	int64_t told = TIME_NONE, at = hand.now + 10, task;
	struct arena arena = {0};
	struct alerts_leased leased;

	alerts_on_due(place->store, tell, &told);
	task = make_task(place, at);
	assert_int_equal(told, at);
	told = TIME_NONE;
	change_task(place, task, &title, "title");
	make_task(place, TIME_NONE);
	assert_int_equal(told, TIME_NONE);
	hand.now = at;
	leased = lease(place, &arena);
	assert_true(record(place, &leased.list[2], ALERT_TRY_AGAIN, "451 later"));
	assert_int_equal(told, at + 60);
	alerts_on_due(place->store, NULL, NULL);
	arena_release(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, store_place_remove)
	const struct CMUnitTest tests[] = {
		TEST(due_at_its_time),
		TEST(the_first_accepted_marks_the_task),
		TEST(it_is_tried_again),
		TEST(nobody_knows),
		TEST(a_dead_senders_lease_is_taken_over),
		TEST(a_restart_takes_over_at_once),
		TEST(a_restart_repairs_what_a_wrong_clock_did),
		TEST(given_back),
		TEST(too_late),
		TEST(without_mail),
		TEST(old_rows_hold_up_nothing),
		TEST(accounts_take_turns),
		TEST(some_accounts_wait),
		TEST(the_task_changes_meanwhile),
		TEST(who_waits_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
