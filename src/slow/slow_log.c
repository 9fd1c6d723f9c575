/* SPDX-License-Identifier: MIT */
/* The log of slow statements. A connection that had a slow statement copies its text into a ring
 * and goes on. The log's thread asks for the plan and writes the line. */
#include "slow/slow_log.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_object.h"

#define WAITING_MAX 8
#define EXPLAIN_MS 1000
#define MINUTE_MS 60000
#define ID_MAX 128
#define ACCOUNT_MAX 64
#define SQL_SHOWN 1000
#define PLAN_SHOWN 1500
#define NAME_CHARS "_0123456789abcdefghijklmnopqrstuvwxyz"

struct slow {
	char *sql;
	enum db_type types[DB_ARGS_MAX];
	size_t arg_count;
	int64_t ms, account_id; /* ID 0: several accounts, or none */
	char id[ID_MAX + 1];
};

struct slow_log {
	struct slow_watch watch;
	struct slow_log_config config;
	struct log_stream stream;
	_Atomic uint64_t count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stopping; /* set under the lock */
	/* Under the lock. */
	struct slow waiting[WAITING_MAX];
	size_t waiting_count, taken; /* `taken`: in this minute */
	uint64_t left_out;           /* in this minute */
	int64_t minute_ends;         /* of monotonic_ms(); 0: no minute has begun */
};

/* Whether the column account_id is compared with $1, and not another column or argument. */
static bool sql_names_account(const char *sql)
{
	static const char words[] = "account_id = $1";

	for (const char *at = sql; (at = strstr(at, words)); at++) {
		char before = at > sql ? at[-1] : ' ';

		if (!strchr(NAME_CHARS, before) && !isdigit((unsigned char)at[strlen(words)]))
			return true;
	}
	return false;
}

/* The account of the statement: that of db->purpose, else $1 if the statement compares account_id
 * with it. 0: not known. */
static int64_t call_account(const struct db *db, const struct db_call *call)
{
	if (db->purpose.account_id)
		return db->purpose.account_id;
	return call->arg_count && call->args[0].type == DB_INT && sql_names_account(call->sql)
		       ? call->args[0].integer
		       : 0;
}

static bool slow_set(struct slow *slow, const struct db *db, const struct db_call *call, int64_t ms)
{
	struct slice id = db->purpose.request_id;

	*slow = (struct slow){.sql = strdup(call->sql), .arg_count = call->arg_count, .ms = ms};
	slow->account_id = call_account(db, call);
	for (size_t i = 0; i < call->arg_count; i++)
		slow->types[i] = call->args[i].type;
	if (id.len && id.len <= ID_MAX)
		memcpy(slow->id, id.ptr, id.len);
	return slow->sql != NULL;
}

static void slow_log_tell(struct slow_watch *watch, const struct db *db, const struct db_call *call,
			  int64_t ms)
{
	struct slow_log *log = (struct slow_log *)(void *)watch;
	int64_t now = monotonic_ms();

	atomic_fetch_add_explicit(&log->count, 1, memory_order_relaxed);
	pthread_mutex_lock(&log->lock);
	if (!log->minute_ends)
		log->minute_ends = now + MINUTE_MS;
	if (log->taken < SLOW_LOG_PER_MINUTE && log->waiting_count < WAITING_MAX &&
	    slow_set(&log->waiting[log->waiting_count], db, call, ms)) {
		log->waiting_count++;
		log->taken++;
	} else {
		log->left_out++;
	}
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
}

/* Replaces each run of white space by one space. Statements have it for readers of the source. */
static void text_squeeze(const char *text, struct buf *out)
{
	for (text += strspn(text, " \t\n"); *text; text++)
		if (!strchr(" \t\n", *text))
			buf_add_char(out, *text);
		else if (text[1] && !strchr(" \t\n", text[1]))
			buf_add_char(out, ' ');
}

static struct slice text_cut(struct slice text, size_t most)
{
	return (struct slice){text.ptr, text.len < most ? text.len : most};
}

static void line_put_object(struct log_object *line, const struct slow *slow, const char *account,
			    const struct buf *sql, const struct buf *plan)
{
	log_object_open(line);
	log_put_time(line, "time", system_ms());
	log_put_plain(line, "message", SLICE("slow statement"));
	log_put_int(line, "ms", slow->ms);
	log_put_text(line, "account", *account ? slice_of(account) : (struct slice){NULL, 0},
		     ACCOUNT_MAX);
	log_put_text(line, "id", *slow->id ? slice_of(slow->id) : (struct slice){NULL, 0}, ID_MAX);
	log_put_text(line, "statement", buf_slice(sql), SQL_SHOWN);
	log_put_text(line, "plan", buf_slice(plan), PLAN_SHOWN);
}

static void line_put_words(struct log_object *line, const struct slow *slow, const char *account,
			   const struct buf *sql, const struct buf *plan)
{
	log_words_open(line);
	log_put_plain(line, "", SLICE("docket: slow statement:"));
	log_put_int(line, "", slow->ms);
	log_put_plain(line, "", SLICE("ms, account"));
	log_put_text(line, "", *account ? slice_of(account) : SLICE("-"), ACCOUNT_MAX);
	log_put_plain(line, "", SLICE("id"));
	log_put_text(line, "", *slow->id ? slice_of(slow->id) : SLICE("-"), ID_MAX);
	log_put_plain(line, "", SLICE("statement:"));
	log_put_plain(line, "", text_cut(buf_slice(sql), SQL_SHOWN));
	log_put_plain(line, "", SLICE("plan:"));
	log_put_plain(line, "", plan->len ? text_cut(buf_slice(plan), PLAN_SHOWN) : SLICE("-"));
}

static enum err account_take_name(void *context, const struct db_value *values, size_t count)
{
	if (count && values[0].bytes.len < ACCOUNT_MAX)
		memcpy(context, values[0].bytes.ptr, values[0].bytes.len);
	return OK;
}

/* Only statements that begin with one of these words have a plan. */
static bool sql_has_plan(const char *sql)
{
	static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncasecmp(sql, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* Asks the database for the name of the account and the plan. After an error the connection can
 * only be closed. */
static enum err slow_ask(const struct slow_log *log, const struct slow *slow, struct db *db,
			 char account[ACCOUNT_MAX], struct buf *plan)
{
	struct db_value args[DB_ARGS_MAX];
	const struct db_value id = DB_INT_VALUE(slow->account_id);
	const struct db_call name = {.sql = log->config.account_name,
				     .args = &id,
				     .arg_count = 1,
				     .on_row = account_take_name,
				     .context = account};
	enum err err = OK;

	for (size_t i = 0; i < slow->arg_count; i++)
		args[i] = (struct db_value){.type = slow->types[i]};
	db->driver->set_budget(db, EXPLAIN_MS);
	if (slow->account_id)
		err = db->driver->run(db, &name, 1);
	if (!err && sql_has_plan(slow->sql))
		err = db->driver->explain(db,
					  &(struct db_call){.sql = slow->sql,
							    .args = args,
							    .arg_count = slow->arg_count},
					  plan);
	return err;
}

/* If `db` is NULL, the line has no plan, and the account's id in place of its name. If it returns
 * an error, the caller must close the connection. */
static enum err slow_write(struct slow_log *log, const struct slow *slow, struct db *db)
{
	enum err err = OK;
	char account[ACCOUNT_MAX] = "";
	struct buf sql = {0}, plan = {0};
	struct log_object line;

	if (db)
		err = slow_ask(log, slow, db, account, &plan);
	if (!*account && slow->account_id)
		snprintf(account, sizeof(account), "%lld", (long long)slow->account_id);
	text_squeeze(slow->sql, &sql);
	if (log_format() == LOG_JSON)
		line_put_object(&line, slow, account, &sql, &plan);
	else
		line_put_words(&line, slow, account, &sql, &plan);
	log_stream_write(&log->stream, log_object_close(&line));
	buf_release(&sql);
	buf_release(&plan);
	return err;
}

/* Called under the lock, which it releases meanwhile. */
static void slow_log_write(struct slow_log *log)
{
	struct slow taken[WAITING_MAX];
	size_t count = log->waiting_count;
	bool connects = !log->stopping;
	struct db *db = NULL;

	memcpy(taken, log->waiting, count * sizeof(taken[0]));
	log->waiting_count = 0;
	pthread_mutex_unlock(&log->lock);
	for (size_t i = 0; i < count; i++) {
		/* Once slow_log_free() waits, it asks for no more plans. */
		bool asks = connects && !atomic_load(&log->stopping);

		if (asks && !db && log->config.connect(log->config.context, &db)) {
			connects = false;
			db = NULL;
		}
		if (slow_write(log, &taken[i], asks ? db : NULL)) {
			db->driver->close(db);
			db = NULL;
		}
		free(taken[i].sql);
	}
	if (db)
		db->driver->close(db);
	pthread_mutex_lock(&log->lock);
}

/* Ends a minute that is over. Called under the lock. */
static void slow_log_end_minute(struct slow_log *log)
{
	if (!log->minute_ends || (!log->stopping && monotonic_ms() < log->minute_ends))
		return;
	if (log->left_out)
		log_line(
			"%llu more slow statements were not logged: docket logs at most %d a minute, "
			"and at most %d that come at once",
			(unsigned long long)log->left_out, SLOW_LOG_PER_MINUTE, WAITING_MAX);
	log->left_out = 0;
	log->minute_ends = 0;
	log->taken = 0;
}

static void *slow_log_run(void *context)
{
	struct slow_log *log = context;

	pthread_mutex_lock(&log->lock);
	while (!log->stopping || log->waiting_count) {
		slow_log_end_minute(log);
		if (log->waiting_count) {
			slow_log_write(log);
		} else if (log->minute_ends) {
			struct timespec until =
				monotonic_after(log->minute_ends - monotonic_ms() + 1);

			pthread_cond_clockwait(&log->wake, &log->lock, CLOCK_MONOTONIC, &until);
		} else {
			pthread_cond_wait(&log->wake, &log->lock);
		}
	}
	slow_log_end_minute(log);
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

static bool slow_log_start(struct slow_log *log, const struct slow_log_config *config)
{
	log->config = *config;
	log->watch = (struct slow_watch){config->bound_ms, slow_log_tell};
	log_stream_init(&log->stream, STDERR_FILENO);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->wake, NULL);
	if (pthread_create(&log->thread, NULL, slow_log_run, log) == 0) {
		pthread_setname_np(log->thread, "slow log");
		return true;
	}
	pthread_cond_destroy(&log->wake);
	pthread_mutex_destroy(&log->lock);
	return false;
}

struct slow_log *slow_log_new(const struct slow_log_config *config)
{
	struct slow_log *log = calloc(1, sizeof(*log));

	if (log && slow_log_start(log, config))
		return log;
	log_line("slow statements are not logged: there is no memory or no thread for it");
	free(log);
	return NULL;
}

struct slow_watch *slow_log_watch(struct slow_log *log)
{
	return log ? &log->watch : NULL;
}

uint64_t slow_log_count(const struct slow_log *log)
{
	return log ? atomic_load(&log->count) : 0;
}

void slow_log_free(struct slow_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
	pthread_cond_destroy(&log->wake);
	pthread_mutex_destroy(&log->lock);
	free(log);
}
