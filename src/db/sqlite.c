/* SPDX-License-Identifier: MIT */
/* The SQLite driver. One connection of a process writes and checkpoints, all others are opened
 * read-only: SQLite up to 3.51.2 can corrupt a database when one connection checkpoints while
 * another resets the WAL. */
#include "db/db.h"

#include <assert.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "db/sqlite_fold.h"
#include "db/statements.h"

#define STATEMENTS 96 /* prepared and kept, a connection */
#define ARGS_MAX 64
#define COLUMNS_MAX 64

struct statement {
	sqlite3_stmt *handle;
	int index[ARGS_MAX]; /* where argument i is bound; 0: nowhere */
	size_t arg_count;    /* how many of them are known */
};

struct sqlite_db {
	struct db db;
	sqlite3 *handle;
	struct statement_text texts[STATEMENTS];
	struct statement statements[STATEMENTS];
	uint64_t clock;
	enum db_mode mode;
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC, 0: none */
};

static struct sqlite_db *sqlite_of(struct db *db)
{
	return (struct sqlite_db *)(void *)db;
}

/* Extended codes first: the row that fits comes before the one of its class. */
static const struct {
	int code;
	enum err err;
} errors[] = {
	{SQLITE_OK, OK},
	{SQLITE_DONE, OK},
	{SQLITE_ROW, OK},
	{SQLITE_IOERR_FSYNC, ERR_UNKNOWN_STATE},
	{SQLITE_IOERR_DIR_FSYNC, ERR_UNKNOWN_STATE},
	{SQLITE_IOERR_NOMEM, ERR_NOMEM},
	{SQLITE_NOMEM, ERR_NOMEM},
	{SQLITE_FULL, ERR_FULL},
	{SQLITE_BUSY, ERR_BUSY},
	{SQLITE_LOCKED, ERR_BUSY},
	{SQLITE_INTERRUPT, ERR_TIMEOUT},
	{SQLITE_CONSTRAINT, ERR_CONSTRAINT},
	{SQLITE_CORRUPT, ERR_CORRUPT},
	{SQLITE_NOTADB, ERR_CORRUPT},
	{SQLITE_CANTOPEN, ERR_NOT_FOUND},
	{SQLITE_IOERR, ERR_IO},
	{SQLITE_READONLY, ERR_IO},
	{SQLITE_PERM, ERR_IO},
};

static enum err err_of(int code)
{
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
			if (errors[i].code == code)
				return errors[i].err;
		code &= 0xff;
	}
	return ERR_INTERNAL;
}

static int over_budget(void *context)
{
	const struct sqlite_db *db = context;

	return db->deadline && monotonic_ms() >= db->deadline;
}

static void statement_release(struct sqlite_db *db, size_t at)
{
	sqlite3_finalize(db->statements[at].handle);
	db->statements[at] = (struct statement){0};
	statement_forget(&db->texts[at]);
}

/* Ordinals of $1, $2, … follow their first appearance in the text, so each is looked up. */
static void map_arguments(struct statement *statement)
{
	int known = sqlite3_bind_parameter_count(statement->handle);

	for (size_t i = 0; i < ARGS_MAX; i++) {
		char name[8];

		snprintf(name, sizeof(name), "$%zu", i + 1);
		statement->index[i] = sqlite3_bind_parameter_index(statement->handle, name);
		known -= statement->index[i] != 0;
		if (statement->index[i])
			statement->arg_count = i + 1;
	}
	assert(known == 0);
}

/* The prepared statement of a text; the one unused for longest makes room. */
static enum err prepare(struct sqlite_db *db, const char *sql, size_t *at_out)
{
	size_t at;
	int code;

	if (!statement_find(db->texts, STATEMENTS, &db->clock, sql, &at)) {
		statement_release(db, at);
		code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  &db->statements[at].handle, NULL);
		if (code != SQLITE_OK)
			return err_of(code);
		if (!statement_keep(&db->texts[at], sql, ++db->clock)) {
			statement_release(db, at);
			return ERR_NOMEM;
		}
		map_arguments(&db->statements[at]);
	}
	*at_out = at;
	return OK;
}

/* The bytes are bound where they are: they outlive the statement's run. */
static int bind(const struct statement *statement, const struct db_value *args, size_t count)
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

static struct db_value column(sqlite3_stmt *handle, int i)
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

static enum err step_through(sqlite3_stmt *handle, const struct db_call *call)
{
	struct db_value values[COLUMNS_MAX];
	int code;

	while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
		int count = sqlite3_column_count(handle);
		enum err err;

		if (!call->on_row)
			continue;
		assert(count <= COLUMNS_MAX);
		for (int i = 0; i < count; i++)
			values[i] = column(handle, i);
		err = call->on_row(call->context, values, (size_t)count);
		if (err)
			return err;
	}
	return err_of(code);
}

static enum err sqlite_run(struct db *base, const struct db_call *calls, size_t count)
{
	struct sqlite_db *db = sqlite_of(base);

	for (size_t i = 0; i < count; i++) {
		struct statement *statement;
		size_t at = 0;
		enum err err = prepare(db, calls[i].sql, &at);

		if (err)
			return err;
		statement = &db->statements[at];
		err = err_of(bind(statement, calls[i].args, calls[i].arg_count));
		if (!err)
			err = step_through(statement->handle, &calls[i]);
		sqlite3_reset(statement->handle);
		sqlite3_clear_bindings(statement->handle);
		if (err)
			return err;
	}
	return OK;
}

static enum err sqlite_script(struct db *base, const char *sql)
{
	return err_of(sqlite3_exec(sqlite_of(base)->handle, sql, NULL, NULL, NULL));
}

static enum err run_text(struct db *base, const char *sql)
{
	return sqlite_run(base, &(struct db_call){.sql = sql}, 1);
}

static bool may_write(const struct sqlite_db *db)
{
	return db->mode == DB_CREATE || db->mode == DB_WRITE;
}

static enum err sqlite_begin(struct db *base)
{
	return run_text(base, may_write(sqlite_of(base)) ? "BEGIN IMMEDIATE" : "BEGIN");
}

static enum err sqlite_commit(struct db *base, const struct db_call *calls, size_t count)
{
	enum err err = sqlite_run(base, calls, count);

	return err ? err : run_text(base, "COMMIT");
}

/* Some failures have ended the transaction already. */
static void sqlite_rollback(struct db *base)
{
	if (!sqlite3_get_autocommit(sqlite_of(base)->handle))
		(void)run_text(base, "ROLLBACK");
}

static void sqlite_set_budget(struct db *base, int milliseconds)
{
	sqlite_of(base)->deadline = milliseconds ? monotonic_ms() + milliseconds : 0;
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
	sqlite3_close(db->handle);
	free(db);
}

/* In this order: the busy timeout is in force when the journal mode is changed. NORMAL would lose
 * acknowledged commits on a loss of power. */
static const char write_pragmas[] = "PRAGMA busy_timeout = 5000;"
				    "PRAGMA journal_mode = WAL;"
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA foreign_keys = ON;"
				    "PRAGMA trusted_schema = OFF;"
				    "PRAGMA cell_size_check = ON;"
				    "PRAGMA journal_size_limit = 67108864;"
				    "PRAGMA temp_store = MEMORY;"
				    "PRAGMA cache_size = -131072;";

static const char read_pragmas[] = "PRAGMA busy_timeout = 5000;"
				   "PRAGMA query_only = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA cell_size_check = ON;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA cache_size = -32768;";

static enum err configure(struct sqlite_db *db)
{
	int code = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	/* Before the first read: the index of the WAL is then this connection's own. What cannot
	 * lock must not bring the WAL into the database at its end either. */
	if (code == SQLITE_OK && db->mode == DB_IMMUTABLE_WAL)
		code = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (code == SQLITE_OK && db->mode == DB_IMMUTABLE_WAL)
		code = sqlite3_exec(db->handle, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
				    NULL);
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_progress_handler(db->handle, 1000, over_budget, db);
	if (code == SQLITE_OK)
		code = sqlite_add_fold(db->handle);
	if (code == SQLITE_OK && db->mode == DB_CREATE)
		code = sqlite3_exec(db->handle, "PRAGMA page_size = 8192", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db->handle, may_write(db) ? write_pragmas : read_pragmas, NULL,
				    NULL, NULL);
	return err_of(code);
}

/* The path as a URI (RFC 3986, section 3), which alone can say that no other process writes. */
static bool immutable_uri(const char *path, struct buf *uri)
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
		[DB_READ] = SQLITE_OPEN_READONLY,
		[DB_IMMUTABLE] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
		[DB_IMMUTABLE_WAL] = SQLITE_OPEN_READONLY,
	};
	struct sqlite_db *db = calloc(1, sizeof(*db));
	struct buf uri = {0};
	enum err err;

	if (!db || (mode == DB_IMMUTABLE && !immutable_uri(where, &uri))) {
		snprintf(message, size, "out of memory");
		buf_release(&uri);
		free(db);
		return ERR_NOMEM;
	}
	db->db.driver = &sqlite_driver;
	db->mode = mode;
	err = err_of(sqlite3_open_v2(uri.ptr ? uri.ptr : where, &db->handle,
				     flags[mode] | SQLITE_OPEN_NOMUTEX,
				     mode == DB_IMMUTABLE_WAL ? "unix-none" : NULL));
	buf_release(&uri);
	if (!err)
		err = configure(db);
	if (err) {
		snprintf(message, size, "%s",
			 db->handle ? sqlite3_errmsg(db->handle) : "out of memory");
		sqlite_close(&db->db);
		return err;
	}
	*db_out = &db->db;
	return OK;
}

static enum err check_row(void *context, const struct db_value *values, size_t count)
{
	(void)context;
	return count == 1 && values[0].type == DB_TEXT && slice_is(values[0].bytes, "ok")
		       ? OK
		       : ERR_CORRUPT;
}

static enum err check_file(const char *path)
{
	struct db_call check = {.sql = "PRAGMA integrity_check", .on_row = check_row};
	char message[256];
	struct db *db;
	enum err err = sqlite_open(path, DB_WRITE, &db, message, sizeof(message));

	if (err)
		return err;
	err = sqlite_run(db, &check, 1);
	sqlite_close(db);
	return err;
}

static enum err sqlite_copy(struct db *base, const char *to)
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(to))};
	struct db_call copy = {.sql = "VACUUM INTO $1", .args = args, .arg_count = 1};
	bool reads = !may_write(sqlite_of(base));
	/* The pragma forbids to write any file, also the new one. */
	enum err err = reads ? run_text(base, "PRAGMA query_only = OFF") : OK;

	if (!err)
		err = sqlite_run(base, &copy, 1);
	if (reads)
		(void)run_text(base, "PRAGMA query_only = ON");
	if (!err)
		err = check_file(to);
	if (!err)
		err = file_sync(to);
	return err ? err : file_sync_parent(to);
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
	.copy = sqlite_copy,
	.message = sqlite_message,
};
