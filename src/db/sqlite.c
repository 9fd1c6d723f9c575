/* SPDX-License-Identifier: MIT */
/* The SQLite driver. Only one connection of a process writes and checkpoints; all others are opened
 * read-only. SQLite up to 3.51.2 can corrupt a database when one connection checkpoints while
 * another resets the WAL. */
#include "db/db.h"

#include <assert.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "errors.h"
#include "slow.h"
#include "sqlite_bits.h"
#include "sqlite_fold.h"
#include "sqlite_private.h"
#include "sqlite_record.h"

static int connection_must_stop(void *context)
{
	const struct sqlite_db *db = context;

	return (db->deadline && monotonic_ms() >= db->deadline) ||
	       (db->stop && db->stop(db->stop_context));
}

static void statement_release(struct sqlite_db *db, size_t at)
{
	sqlite3_finalize(db->statements[at].handle);
	db->statements[at] = (struct statement){0};
	statement_forget(&db->texts[at]);
}

/* SQLite numbers the arguments by where they first occur in the text, not by the number in their
 * name. */
static void statement_map_arguments(struct statement *statement)
{
	int known = sqlite3_bind_parameter_count(statement->handle);

	for (size_t i = 0; i < DB_ARGS_MAX; i++) {
		char name[8];

		snprintf(name, sizeof(name), "$%zu", i + 1);
		statement->index[i] = sqlite3_bind_parameter_index(statement->handle, name);
		known -= statement->index[i] != 0;
		if (statement->index[i])
			statement->arg_count = i + 1;
	}
	assert(known == 0);
}

/* The prepared statement of a text. A new one replaces the one unused for longest. */
static enum err statement_prepare(struct sqlite_db *db, const char *sql, size_t *at_out)
{
	size_t at;
	int code;

	if (!statement_find(db->texts, STATEMENTS, &db->clock, sql, &at)) {
		statement_release(db, at);
		code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  &db->statements[at].handle, NULL);
		if (code != SQLITE_OK)
			return sqlite_code_err(code);
		if (!statement_keep(&db->texts[at], sql, ++db->clock)) {
			statement_release(db, at);
			return ERR_NOMEM;
		}
		statement_map_arguments(&db->statements[at]);
	}
	*at_out = at;
	return OK;
}

/* Texts and bytes are not copied: they outlive the run of the statement. */
static int statement_bind(const struct statement *statement, const struct db_value *args,
			  size_t count)
{
	int code = SQLITE_OK;

	assert(count == statement->arg_count);
	for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
		const struct db_value *arg = &args[i];
		const char *bytes = arg->bytes.len ? arg->bytes.ptr : "";
		int at = statement->index[i];

		if (at == 0)
			continue;
		if (arg->type == DB_INT)
			code = sqlite3_bind_int64(statement->handle, at, arg->integer);
		else if (arg->type == DB_TEXT)
			code = sqlite3_bind_text64(statement->handle, at, bytes, arg->bytes.len,
						   SQLITE_STATIC, SQLITE_UTF8);
		else if (arg->type == DB_BYTES)
			code = sqlite3_bind_blob64(statement->handle, at, bytes, arg->bytes.len,
						   SQLITE_STATIC);
		else
			code = sqlite3_bind_null(statement->handle, at);
	}
	return code;
}

static struct db_value statement_column(sqlite3_stmt *handle, int i)
{
	switch (sqlite3_column_type(handle, i)) {
	case SQLITE_INTEGER:
		return DB_INT_VALUE(sqlite3_column_int64(handle, i));
	case SQLITE_TEXT: {
		const char *text = (const char *)sqlite3_column_text(handle, i);

		return DB_TEXT_VALUE(
			((struct slice){text, (size_t)sqlite3_column_bytes(handle, i)}));
	}
	case SQLITE_BLOB: {
		const char *bytes = sqlite3_column_blob(handle, i);

		return DB_BYTES_VALUE(
			((struct slice){bytes, (size_t)sqlite3_column_bytes(handle, i)}));
	}
	default:
		return DB_NULL_VALUE;
	}
}

static enum err statement_step_through(sqlite3_stmt *handle, const struct db_call *call)
{
	struct db_value values[DB_COLUMNS_MAX];
	int code;

	while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
		int count = sqlite3_column_count(handle);
		enum err err;

		if (!call->on_row)
			continue;
		assert(count <= DB_COLUMNS_MAX);
		for (int i = 0; i < count; i++)
			values[i] = statement_column(handle, i);
		err = call->on_row(call->context, values, (size_t)count);
		if (err)
			return err;
	}
	return sqlite_code_err(code);
}

static enum err sqlite_run(struct db *base, const struct db_call *calls, size_t count)
{
	struct sqlite_db *db = sqlite_of(base);
	int64_t began = slow_clock(base);

	for (size_t i = 0; i < count; i++) {
		struct statement *statement;
		size_t at = 0;
		enum err err = statement_prepare(db, calls[i].sql, &at);

		if (err)
			return err;
		statement = &db->statements[at];
		err = sqlite_code_err(statement_bind(statement, calls[i].args, calls[i].arg_count));
		if (!err)
			err = statement_step_through(statement->handle, &calls[i]);
		sqlite3_reset(statement->handle);
		sqlite3_clear_bindings(statement->handle);
		began = slow_note(base, &calls[i], began);
		if (err)
			return err;
	}
	return OK;
}

static enum err sqlite_script(struct db *base, const char *sql)
{
	return sqlite_code_err(sqlite3_exec(sqlite_of(base)->handle, sql, NULL, NULL, NULL));
}

static enum err sqlite_run_text(struct db *base, const char *sql)
{
	return sqlite_run(base, &(struct db_call){.sql = sql}, 1);
}

static bool connection_may_write(const struct sqlite_db *db)
{
	return db->mode <= DB_DRAFT;
}

static enum err sqlite_begin(struct db *base)
{
	return sqlite_run_text(base,
			       connection_may_write(sqlite_of(base)) ? "BEGIN IMMEDIATE" : "BEGIN");
}

static enum err sqlite_commit(struct db *base, const struct db_call *calls, size_t count)
{
	enum err err = sqlite_run(base, calls, count);

	return err ? err : sqlite_run_text(base, "COMMIT");
}

/* SQLite ends the transaction itself on some failures. */
static void sqlite_rollback(struct db *base)
{
	if (!sqlite3_get_autocommit(sqlite_of(base)->handle))
		(void)sqlite_run_text(base, "ROLLBACK");
	recording_forget(sqlite_of(base)->recording);
}

static void sqlite_set_budget(struct db *base, int milliseconds)
{
	sqlite_of(base)->deadline = milliseconds ? monotonic_ms() + milliseconds : 0;
}

static void sqlite_set_stop(struct db *base, bool (*stop)(void *context), void *context)
{
	sqlite_of(base)->stop = stop;
	sqlite_of(base)->stop_context = context;
}

/* Commits append pages to the WAL. A checkpoint copies them into the database: each page once,
 * however many commits have changed it. docs/design/storage.md says why it has this size. */
#define CHECKPOINT_PAGES 16000

/* A checkpoint that fails is made again: the WAL keeps the pages. */
static void sqlite_on_idle(struct db *base)
{
	int64_t began = monotonic_us();

	(void)sqlite3_wal_checkpoint_v2(sqlite_of(base)->handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
					NULL, NULL);
	if (!base->counters)
		return;
	atomic_fetch_add(&base->counters->checkpoints, 1);
	atomic_fetch_add(&base->counters->checkpoint_us, (uint64_t)(monotonic_us() - began));
}

/* SQLite calls it after each commit, with the number of pages in the WAL. It does what SQLite's
 * wal_autocheckpoint does, and counts it. */
static int connection_on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
	(void)handle;
	(void)name;
	if (pages >= CHECKPOINT_PAGES)
		sqlite_on_idle(context);
	return SQLITE_OK;
}

static const char *sqlite_message(struct db *base)
{
	return sqlite3_errmsg(sqlite_of(base)->handle);
}

static void sqlite_close(struct db *base)
{
	struct sqlite_db *db = sqlite_of(base);

	if (!db)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		statement_release(db, i);
	recording_free(db->recording);
	sqlite3_close(db->handle);
	free(db);
}

#define PAGE_BYTES "4096"
#define WAL_BYTES "134217728" /* twice that: SQLite cuts only a WAL that readers have held up */

#define WRITER_PRAGMAS                 \
	"PRAGMA foreign_keys = ON;"    \
	"PRAGMA trusted_schema = OFF;" \
	"PRAGMA cell_size_check = ON;" \
	"PRAGMA temp_store = MEMORY;"  \
	"PRAGMA cache_size = -131072;"

/* The busy timeout comes first, so that the change of the journal mode waits as well. With
 * synchronous = NORMAL a loss of power would lose acknowledged commits. */
static const char write_pragmas[] = "PRAGMA busy_timeout = 5000;"
				    "PRAGMA journal_mode = WAL;"
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA journal_size_limit = " WAL_BYTES ";" WRITER_PRAGMAS;

static const char draft_pragmas[] = "PRAGMA journal_mode = OFF;"
				    "PRAGMA synchronous = OFF;" WRITER_PRAGMAS;

static const char read_pragmas[] = "PRAGMA busy_timeout = 5000;"
				   "PRAGMA query_only = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA cell_size_check = ON;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA cache_size = -32768;";

static enum err connection_set_up(struct sqlite_db *db)
{
	const char *pragmas = db->mode == DB_DRAFT       ? draft_pragmas
			      : connection_may_write(db) ? write_pragmas
							 : read_pragmas;
	/* A defensive connection must have a journal. */
	int code = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, db->mode != DB_DRAFT,
				     NULL);

	/* Both settings must come before the first read. In exclusive mode the index of the WAL is
	 * in this connection's memory, not in a shared file. A connection without locks must not
	 * checkpoint the WAL when it closes. */
	if (code == SQLITE_OK && db->mode == DB_IMMUTABLE_WAL)
		code = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (code == SQLITE_OK && db->mode == DB_IMMUTABLE_WAL)
		code = sqlite3_exec(db->handle, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
				    NULL);
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_progress_handler(db->handle, 1000, connection_must_stop, db);
	if (code == SQLITE_OK)
		code = sqlite_add_fold(db->handle);
	if (code == SQLITE_OK)
		code = sqlite_add_bits(db->handle);
	if (code == SQLITE_OK && db->mode == DB_CREATE)
		code = sqlite3_exec(db->handle, "PRAGMA page_size = " PAGE_BYTES, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
	if (code == SQLITE_OK && pragmas == write_pragmas)
		(void)sqlite3_wal_hook(db->handle, connection_on_commit, db);
	return sqlite_code_err(code);
}

/* Makes a URI of a path (RFC 3986, section 3). Only a URI can tell SQLite that no process
 * writes. */
static bool uri_make(const char *path, struct buf *uri)
{
	buf_add_text(uri, *path == '/' ? "file://" : "file:");
	for (; *path; path++)
		if (strchr("%?#", *path))
			buf_printf(uri, "%%%02X", (unsigned)*path);
		else
			buf_add_char(uri, *path);
	buf_add_text(uri, "?immutable=1");
	buf_add_char(uri, '\0');
	return !uri->failed;
}

static enum err sqlite_open(const char *where, enum db_mode mode, struct db **db_out, char *message,
			    size_t size)
{
	static const int flags[] = {
		[DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		[DB_WRITE] = SQLITE_OPEN_READWRITE,
		[DB_DRAFT] = SQLITE_OPEN_READWRITE,
		[DB_READ] = SQLITE_OPEN_READONLY,
		[DB_IMMUTABLE] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
		[DB_IMMUTABLE_WAL] = SQLITE_OPEN_READONLY,
	};
	struct sqlite_db *db = calloc(1, sizeof(*db));
	struct buf uri = {0};
	enum err err;

	if (!db || (mode == DB_IMMUTABLE && !uri_make(where, &uri))) {
		snprintf(message, size, "out of memory");
		buf_release(&uri);
		free(db);
		return ERR_NOMEM;
	}
	db->db.driver = &sqlite_driver;
	db->mode = mode;
	err = sqlite_code_err(sqlite3_open_v2(uri.ptr ? uri.ptr : where, &db->handle,
					      flags[mode] | SQLITE_OPEN_NOMUTEX,
					      mode == DB_IMMUTABLE_WAL ? "unix-none" : NULL));
	buf_release(&uri);
	if (!err)
		err = connection_set_up(db);
	if (err) {
		snprintf(message, size, "%s",
			 db->handle ? sqlite3_errmsg(db->handle) : "out of memory");
		sqlite_close(&db->db);
		return err;
	}
	*db_out = &db->db;
	return OK;
}

/* VACUUM INTO takes the page size that was set last. A database that is not in WAL mode has no WAL,
 * whoever reads it meanwhile. query_only forbids to write any file, also the new one. */
static enum err sqlite_copy(struct db *base, const char *to)
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(to))};
	const struct db_call copy = {.sql = "VACUUM INTO $1", .args = args, .arg_count = 1};
	bool writes = connection_may_write(sqlite_of(base));
	enum err err = sqlite_script(base, writes ? "PRAGMA journal_mode = DELETE"
						  : "PRAGMA query_only = OFF");

	if (!err)
		err = sqlite_script(base, "PRAGMA page_size = " PAGE_BYTES);
	if (!err)
		err = sqlite_run(base, &copy, 1);
	if (!writes)
		(void)sqlite_script(base, "PRAGMA query_only = ON");
	return err;
}

static enum err sqlite_record(struct db *base, bool on, const char *except)
{
	struct sqlite_db *db = sqlite_of(base);

	if (on)
		return db->recording ? OK : recording_new(db->handle, except, &db->recording);
	recording_free(db->recording);
	db->recording = NULL;
	return OK;
}

static enum err sqlite_take_changes(struct db *base, struct buf *changes)
{
	return recording_take(sqlite_of(base)->recording, changes);
}

static enum err sqlite_apply(struct db *base, struct slice changes)
{
	return changes_apply(sqlite_of(base)->handle, changes);
}

const struct db_driver sqlite_driver = {
	.name = "SQLite",
	.kind = DB_SQLITE,
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.run = sqlite_run,
	.script = sqlite_script,
	.set_budget = sqlite_set_budget,
	.set_stop = sqlite_set_stop,
	.copy = sqlite_copy,
	.backup_begin = sqlite_backup_begin,
	.backup_part = sqlite_backup_part,
	.backup_end = sqlite_backup_end,
	.record = sqlite_record,
	.take_changes = sqlite_take_changes,
	.apply = sqlite_apply,
	.read_changes = changes_read,
	.snapshot = sqlite_snapshot,
	.on_idle = sqlite_on_idle,
	.explain = sqlite_explain,
	.message = sqlite_message,
};
