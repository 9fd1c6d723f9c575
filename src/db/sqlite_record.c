/* SPDX-License-Identifier: MIT */
/* The changes of a transaction are a patchset of SQLite's session extension: for each row that was
 * inserted or updated its key and new values, for each that was deleted its key. A session cannot
 * be emptied, so each transaction gets a new one. */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "sqlite_record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

struct recording {
	sqlite3 *handle;
	sqlite3_session *session; /* NULL: it could not be made, and changes were lost */
	char **tables;
	size_t count;
};

/* A session does not see the changes of virtual tables. The tables in which FTS5 keeps its index
 * change so much that their changes would be most of all. */
static const char list_tables[] = "SELECT name FROM pragma_table_list WHERE schema = 'main'"
				  " AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
				  " AND name <> ?1";

static int tables_read(struct recording *recording, const char *except)
{
	sqlite3_stmt *list;
	int code = sqlite3_prepare_v2(recording->handle, list_tables, -1, &list, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(list, 1, except, -1, SQLITE_STATIC);
	while (code == SQLITE_OK && (code = sqlite3_step(list)) == SQLITE_ROW) {
		size_t bytes = (recording->count + 1) * sizeof(*recording->tables);
		char **more = realloc(recording->tables, bytes);
		char *name = strdup((const char *)sqlite3_column_text(list, 0));

		if (more)
			recording->tables = more;
		if (more && name)
			recording->tables[recording->count++] = name;
		else
			free(name);
		code = more && name ? SQLITE_OK : SQLITE_NOMEM;
	}
	sqlite3_finalize(list);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

enum err recording_forget(struct recording *recording)
{
	int code;

	if (!recording)
		return OK;
	if (recording->session)
		sqlite3session_delete(recording->session);
	recording->session = NULL;
	code = sqlite3session_create(recording->handle, "main", &recording->session);
	for (size_t i = 0; i < recording->count && code == SQLITE_OK; i++)
		code = sqlite3session_attach(recording->session, recording->tables[i]);
	if (code != SQLITE_OK && recording->session) {
		sqlite3session_delete(recording->session);
		recording->session = NULL;
	}
	return sqlite_code_err(code);
}

enum err recording_new(sqlite3 *handle, const char *except, struct recording **recording_out)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	enum err err;

	if (!recording)
		return ERR_NOMEM;
	recording->handle = handle;
	err = sqlite_code_err(tables_read(recording, except));
	if (!err)
		err = recording_forget(recording);
	if (err) {
		recording_free(recording);
		return err;
	}
	*recording_out = recording;
	return OK;
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->session)
		sqlite3session_delete(recording->session);
	for (size_t i = 0; i < recording->count; i++)
		free(recording->tables[i]);
	free(recording->tables);
	free(recording);
}

enum err recording_take(struct recording *recording, struct buf *changes)
{
	void *bytes = NULL;
	int len = 0;
	enum err err = ERR_NOMEM, forgotten;

	if (recording->session)
		err = sqlite_code_err(sqlite3session_patchset(recording->session, &len, &bytes));
	if (!err)
		buf_add(changes, bytes, (size_t)len);
	sqlite3_free(bytes);
	if (!err && changes->failed)
		err = ERR_NOMEM;
	forgotten = recording_forget(recording);
	return err ? err : forgotten;
}

/* The changes belong to the state that the database has. So none can be in conflict with it. */
static int change_on_conflict(void *context, int kind, sqlite3_changeset_iter *change)
{
	(void)context;
	(void)kind;
	(void)change;
	return SQLITE_CHANGESET_ABORT;
}

enum err changes_apply(sqlite3 *handle, struct slice changes)
{
	int code;

	if (changes.len > INT_MAX)
		return ERR_CORRUPT;
	code = sqlite3changeset_apply_v2(handle, (int)changes.len, (void *)(uintptr_t)changes.ptr,
					 NULL, change_on_conflict, NULL, NULL, NULL,
					 SQLITE_CHANGESETAPPLY_NOSAVEPOINT);
	return code == SQLITE_ABORT ? ERR_CORRUPT : sqlite_code_err(code);
}
