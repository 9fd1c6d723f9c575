/* SPDX-License-Identifier: MIT */
/* The log of slow statements, with a database that fails when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slow/slow_log.h"

#define TEXT_BYTES 65536

/* One at a time. */
static struct fake {
	atomic_bool run_fails, explain_fails, connect_fails, connect_waits;
	atomic_int connects, closes, runs, explains;
	atomic_bool is_spoiled, is_misused;
	int saved_stderr, pipe[2];
} fake;

static enum err fake_use(atomic_int *count, bool fails)
{
	if (atomic_load(&fake.is_spoiled))
		atomic_store(&fake.is_misused, true);
	atomic_fetch_add(count, 1);
	if (fails)
		atomic_store(&fake.is_spoiled, true);
	return fails ? ERR_TIMEOUT : OK;
}

static enum err fake_run(struct db *db, const struct db_call *calls, size_t count)
{
	(void)db;
	(void)calls;
	(void)count;
	return fake_use(&fake.runs, atomic_load(&fake.run_fails));
}

static enum err fake_explain(struct db *db, const struct db_call *call, struct buf *plan)
{
	(void)db;
	(void)call;
	buf_add_text(plan, "SCAN fake");
	return fake_use(&fake.explains, atomic_load(&fake.explain_fails));
}

static void fake_set_budget(struct db *db, int milliseconds)
{
	(void)db;
	(void)milliseconds;
}

static void fake_close(struct db *db)
{
	(void)db;
	atomic_fetch_add(&fake.closes, 1);
}

static const struct db_driver fake_driver = {.run = fake_run,
					     .explain = fake_explain,
					     .set_budget = fake_set_budget,
					     .close = fake_close};
static struct db fake_db = {.driver = &fake_driver};

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static enum err fake_connect(void *context, struct db **db_out)
{
	(void)context;
	atomic_fetch_add(&fake.connects, 1);
	while (atomic_load(&fake.connect_waits))
		pause_ms(1);
	if (atomic_load(&fake.connect_fails))
		return ERR_UNREACHABLE;
	atomic_store(&fake.is_spoiled, false);
	*db_out = &fake_db;
	return OK;
}

static struct slow_log *new_log(void)
{
	return slow_log_new(&(struct slow_log_config){
		.bound_ms = 1, .connect = fake_connect, .account_name = "SELECT name"});
}

/* A slow statement with an argument. */
static void tell(struct slow_log *log, const char *sql, int64_t account_id)
{
	const struct db_value args[] = {DB_INT_VALUE(7)};
	const struct db db = {.purpose = {.account_id = account_id}};
	const struct db_call call = {.sql = sql, .args = args, .arg_count = 1};

	slow_log_watch(log)->tell(slow_log_watch(log), &db, &call, 5);
}

/* Waits until the log's thread has closed so many connections. */
static void wait_for(atomic_int *count, int most)
{
	for (int i = 0; i < 60000 && atomic_load(count) < most; i++)
		pause_ms(1);
	assert_int_equal(atomic_load(count), most);
}

static int catch_stderr(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.saved_stderr = dup(STDERR_FILENO);
	if (fake.saved_stderr < 0 || pipe(fake.pipe) || dup2(fake.pipe[1], STDERR_FILENO) < 0)
		return -1;
	return 0;
}

static int give_stderr_back(void **state)
{
	(void)state;
	dup2(fake.saved_stderr, STDERR_FILENO);
	close(fake.saved_stderr);
	close(fake.pipe[0]);
	close(fake.pipe[1]);
	return 0;
}

/* What was logged since the last call. */
static const char *logged(void)
{
	static char text[TEXT_BYTES];
	ssize_t len;

	assert_int_equal(write(fake.pipe[1], "", 1), 1);
	len = read(fake.pipe[0], text, sizeof(text) - 1);
	assert_true(len > 0);
	text[len] = '\0';
	return text;
}

static void assert_logged(const char *text, const char *part, bool is_there)
{
	if ((strstr(text, part) != NULL) != is_there)
		fail_msg("\"%s\" is%s in: %s", part, is_there ? " not" : "", text);
}

/* After an error the connection is closed and not used again. */
static void a_failed_connection_is_closed(void **state)
{
	struct slow_log *log = new_log();
	const char *text;

	(void)state;
	atomic_store(&fake.run_fails, true);
	tell(log, "SELECT 1", 3);
	wait_for(&fake.closes, 1);
	assert_int_equal(atomic_load(&fake.explains), 0);
	atomic_store(&fake.run_fails, false);
	/* Several in one batch: each has a connection that has not failed. */
	atomic_store(&fake.explain_fails, true);
	atomic_store(&fake.connect_waits, true);
	tell(log, "SELECT 2", 3);
	wait_for(&fake.connects, 2);
	tell(log, "SELECT 3", 3);
	tell(log, "SELECT 4", 3);
	tell(log, "SELECT 5", 3);
	atomic_store(&fake.connect_waits, false);
	wait_for(&fake.closes, 5);
	slow_log_free(log);
	assert_int_equal(atomic_load(&fake.connects), 5);
	assert_int_equal(atomic_load(&fake.explains), 4);
	assert_false(atomic_load(&fake.is_misused));
	text = logged();
	assert_logged(text, "5 ms, account 3 id - statement: SELECT 1 plan: -\n", true);
	assert_logged(text, "statement: SELECT 5 plan: ", true);
}

/* Who cannot connect does not try again for each statement. */
static void no_connection(void **state)
{
	struct slow_log *log = new_log();
	const char *text;

	(void)state;
	atomic_store(&fake.connect_fails, true);
	atomic_store(&fake.connect_waits, true);
	tell(log, "SELECT 1", 3);
	wait_for(&fake.connects, 1);
	for (int i = 0; i < 10; i++)
		tell(log, "SELECT 2", 3);
	atomic_store(&fake.connect_waits, false);
	wait_for(&fake.connects, 2);
	slow_log_free(log);
	assert_int_equal(atomic_load(&fake.connects), 2);
	assert_int_equal(atomic_load(&fake.closes), 0);
	text = logged();
	assert_logged(text, "account 3 id - statement: SELECT 2 plan: -\n", true);
	/* 8 had room. */
	assert_logged(text,
		      "docket: 2 more slow statements were not logged: docket logs at most 20 a "
		      "minute, and at most 8 that come at once\n",
		      true);
}

static void the_account_of_a_statement(void **state)
{
	static const struct {
		const char *sql;
		bool is_account;
	} rows[] = {
		{"SELECT a FROM b WHERE account_id = $1", true},
		{"SELECT a FROM b WHERE b.account_id = $1 AND c = 2", true},
		{"SELECT a FROM b WHERE (account_id = $1)", true},
		{"account_id = $1", true},
		{"SELECT a FROM b WHERE x_account_id = $1", false},
		{"SELECT a FROM b WHERE x_account_id = $1 AND account_id = $1", true},
		{"SELECT a FROM b WHERE account_id = $10", false},
		{"SELECT a FROM b WHERE account_id = $2 AND c = $1", false},
		{"INSERT INTO b VALUES ($1) ON CONFLICT (account_id) DO NOTHING", false},
		{"SELECT a FROM b WHERE id = $1", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slow_log *log = new_log();

		tell(log, rows[i].sql, 0);
		slow_log_free(log);
		assert_logged(logged(), rows[i].is_account ? "account 7 id" : "account - id", true);
	}
}

/* The default stack of a thread is too large for any machine. */
static void no_thread(void **state)
{
	pthread_attr_t before, after;

	(void)state;
	assert_int_equal(pthread_getattr_default_np(&before), 0);
	assert_int_equal(pthread_attr_init(&after), 0);
	assert_int_equal(pthread_attr_setstacksize(&after, (size_t)1 << 48), 0);
	assert_int_equal(pthread_setattr_default_np(&after), 0);
	assert_null(new_log());
	assert_int_equal(pthread_setattr_default_np(&before), 0);
	pthread_attr_destroy(&before);
	pthread_attr_destroy(&after);
	assert_logged(
		logged(),
		"docket: slow statements are not logged: there is no memory or no thread for it\n",
		true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catch_stderr, give_stderr_back)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_connection_is_closed),
		TEST(no_connection),
		TEST(the_account_of_a_statement),
		TEST(no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
