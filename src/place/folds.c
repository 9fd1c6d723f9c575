/* SPDX-License-Identifier: MIT */
/* The folds of all records. They depend on the version of Unicode. The database has the version of
 * its folds. If this program has another version, it reads every record, page by page, and writes
 * those whose folds differ. One transaction writes the records and the version. If the database is
 * older than this program, its migrations are in the same transaction. */
#include "base/log.h"
#include "base/text.h"
#include "model/records.h"
#include "model/staff.h"
#include "place/folds.h"
#include "records/usernames.h"
#include "sql/values.h"

#define PAGE_ROWS 256 /* records in a page */
#define GROUPS_LOGGED 20

#define IS_FOLD(field) ((field)->type == FIELD_TEXT && ((field)->flags & FIELD_HIDDEN))

static enum err fold_version_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	snprintf(context, FOLDS_VERSION_BYTES, "%.*s", (int)values[0].bytes.len,
		 values[0].bytes.ptr);
	return OK;
}

enum err folds_version(struct db *db, char version[FOLDS_VERSION_BYTES])
{
	const struct db_call ask = {.sql = "SELECT value FROM property WHERE name = 'unicode'",
				    .on_row = fold_version_row,
				    .context = version};

	version[0] = '\0';
	return db->driver->run(db, &ask, 1);
}

static enum err folds_fail(struct db *db, enum err err, const char *what, struct buf *why)
{
	buf_printf(why, "cannot %s: %s: %s", what, err_text(err), db->driver->message(db));
	return err;
}

enum err folds_check(const struct store *store, struct db *db, struct buf *why)
{
	const char *folder = store->config.folder;
	char version[FOLDS_VERSION_BYTES];
	enum err err = folds_version(db, version);

	if (err)
		return folds_fail(db, err, "read the version of Unicode of the database", why);
	if (strcmp(version, text_unicode_version()) == 0)
		return OK;
	if (version[0])
		buf_printf(
			why,
			"the database sorts and compares texts by Unicode %s, and this docket by "
			"Unicode %s: ",
			version, text_unicode_version());
	else
		buf_add_text(why, "the upgrade of the database was interrupted: ");
	if (folder)
		buf_printf(why, "run \"docket serve --data %s\" or \"docket migrate --data %s\"",
			   folder, folder);
	else
		buf_printf(why,
			   "%sstop every docket that serves it, then run \"docket migrate "
			   "--database URL\"%s",
			   version[0]
				   ? "use the same Debian release on every machine; to bring the "
				     "database to this one's, "
				   : "",
			   version[0] ? " here" : "");
	return ERR_SCHEMA;
}

enum err folds_of(enum record_kind kind, const void *record, struct arena *arena, void *after,
		  bool *differ_out)
{
	const struct record_type *type = record_types[kind];
	const struct occasion occasion = {.arena = arena, .time_zone = "UTC"};
	enum err err;

	*differ_out = false;
	memcpy(after, record, type->size);
	err = type->derive(after, record, &occasion);
	for (size_t i = 0; i < type->field_count && !err; i++)
		if (IS_FOLD(&type->fields[i]) &&
		    !slice_eq(*(const struct slice *)CONST_FIELD_AT(record, &type->fields[i]),
			      *(const struct slice *)CONST_FIELD_AT(after, &type->fields[i])))
			*differ_out = true;
	return err;
}

struct folding {
	struct db *db;
	enum record_kind kind;
	const char *update; /* $1 account, $2 id, then the folds in the order of the fields */
	struct arena arena; /* of a page */
	struct calls calls;
	int64_t account_id, id; /* of the last row that was read */
	size_t rows;
	bool dry; /* write nothing */
	struct folded folded;
};

/* Notes the old text, if the database has a separate text index. */
static enum err folding_note_text(struct folding *folding, const struct field *field,
				  const void *record)
{
	const struct text_index *index = sql_dialect(folding->db->driver)->text_index;
	struct slice text;
	const char *copy;

	if (!index || !(field->flags & FIELD_SEARCHED))
		return OK;
	text = *(const struct slice *)CONST_FIELD_AT(record, field);
	copy = arena_copy(&folding->arena, text);
	if (!copy)
		return ERR_NOMEM;
	return calls_ask(&folding->calls, index->note, NULL, NULL,
			 DB_INT_VALUE(folding->account_id), DB_INT_VALUE(folding->id),
			 DB_TEXT_VALUE(((struct slice){copy, text.len})));
}

/* Brings all texts that were noted into the text index. */
static enum err folding_take_texts(struct folding *folding)
{
	const struct text_index *index = sql_dialect(folding->db->driver)->text_index;
	enum err err = OK;

	folding->calls = (struct calls){.arena = &folding->arena};
	if (index)
		err = text_index_take_all(index, &folding->calls);
	if (!err)
		err = folding->db->driver->run(folding->db, folding->calls.list,
					       folding->calls.count);
	arena_release(&folding->arena);
	return err;
}

static enum err folding_update(struct folding *folding, const void *record, const void *after)
{
	const struct record_type *type = record_types[folding->kind];
	struct db_value args[DB_ARGS_MAX] = {DB_INT_VALUE(folding->account_id),
					     DB_INT_VALUE(folding->id)};
	size_t count = 2;
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct field *field = &type->fields[i];
		struct slice text;
		const char *copy;

		if (!IS_FOLD(field))
			continue;
		text = *(const struct slice *)CONST_FIELD_AT(after, field);
		copy = arena_copy(&folding->arena, text);
		if (!copy)
			return ERR_NOMEM;
		args[count++] = DB_TEXT_VALUE(((struct slice){copy, text.len}));
		err = folding_note_text(folding, field, record);
	}
	return err ? err
		   : calls_add_copy(&folding->calls, folding->update, args, count, NULL, NULL);
}

/* Several user names may get the same key. So if a key changes, this sets username_exact. When all
 * keys are known, usernames_tell_apart() sets it again. */
static void staff_keep_apart(const struct staff *staff, struct staff *after)
{
	if (!slice_eq(staff->username_key, after->username_key))
		after->username_exact = after->username;
}

/* The row has the record's columns, then the account id. A text that is not UTF-8 is skipped;
 * docket check reports it. */
static enum err folding_record_row(void *context, const struct db_value *values, size_t count)
{
	struct folding *folding = context;
	const struct record_type *type = record_types[folding->kind];
	struct arena arena = {0};
	void *record = arena_alloc(&arena, type->size), *after = arena_alloc(&arena, type->size);
	bool differ = false;
	enum err err = record && after ? record_from_row(type, values, count - 1, &arena, record)
				       : ERR_NOMEM;

	folding->account_id = values[count - 1].integer;
	folding->rows++;
	if (!err) {
		folding->id = ((const struct record *)record)->id;
		err = folds_of(folding->kind, record, &arena, after, &differ);
	}
	if (!err && differ && folding->kind == RECORD_STAFF)
		staff_keep_apart(record, after);
	if (!err && differ && !folding->dry)
		err = folding_update(folding, record, after);
	if (!err && differ)
		folding->folded.changed++;
	arena_release(&arena);
	return err == ERR_INVALID ? OK : err;
}

static enum err fold_page(struct folding *folding, const char *select)
{
	const struct db_driver *driver = folding->db->driver;
	const struct db_value args[] = {DB_INT_VALUE(folding->account_id),
					DB_INT_VALUE(folding->id)};
	const struct db_call call = {select, args, 2, folding_record_row, folding};
	enum err err;

	folding->rows = 0;
	folding->calls = (struct calls){.arena = &folding->arena};
	err = driver->run(folding->db, &call, 1);
	if (!err && folding->calls.count)
		err = driver->run(folding->db, folding->calls.list, folding->calls.count);
	folding->folded.records += (int64_t)folding->rows;
	arena_release(&folding->arena);
	return err;
}

static char *folds_update_sql(const struct record_type *type, struct arena *arena)
{
	struct buf sets = {0};
	char *sql = NULL;
	int count = 2;

	for (size_t i = 0; i < type->field_count; i++)
		if (IS_FOLD(&type->fields[i])) {
			buf_printf(&sets, "%s%s = $%d", count > 2 ? ", " : "",
				   type->fields[i].column, count + 1);
			count++;
		}
	if (!sets.failed)
		sql = arena_printf(arena, "UPDATE %s SET %.*s WHERE account_id = $1 AND id = $2",
				   type->table, (int)sets.len, sets.ptr ? sets.ptr : "");
	buf_release(&sets);
	return sql;
}

static bool has_folds(const struct record_type *type)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (IS_FOLD(&type->fields[i]))
			return true;
	return false;
}

static enum err fold_kind(struct folding *folding, enum record_kind kind)
{
	const struct record_type *type = record_types[kind];
	struct arena arena = {0};
	const char *from = arena_printf(&arena,
					", account_id FROM %s WHERE (account_id, id) > ($1, $2)"
					" ORDER BY account_id, id LIMIT %d",
					type->table, PAGE_ROWS);
	const char *select =
		from ? record_select(sql_dialect(folding->db->driver), type, from, &arena) : NULL;
	enum err err = OK;

	folding->kind = kind;
	folding->account_id = folding->id = 0;
	folding->update = folds_update_sql(type, &arena);
	if (!select || !folding->update)
		err = ERR_NOMEM;
	do {
		if (!err)
			err = fold_page(folding, select);
	} while (!err && folding->rows == PAGE_ROWS);
	arena_release(&arena);
	return err;
}

/* Whether the staff member shares its key with another; then it signs in with the exact
 * spelling. */
#define SHARES                                                                \
	"EXISTS (SELECT 1 FROM staff o WHERE o.account_id = staff.account_id" \
	" AND o.username_key = staff.username_key AND o.id <> staff.id)"

static enum err usernames_tell_apart(struct db *db, const char *version)
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(version))};
	const struct db_call calls[] = {
		{.sql = "UPDATE staff SET username_exact = username"
			" WHERE username_exact = '' AND " SHARES},
		{.sql = "UPDATE staff SET username_exact = ''"
			" WHERE username_exact <> '' AND NOT " SHARES},
		{.sql = "UPDATE property SET value = $1 WHERE name = 'unicode'",
		 .args = args,
		 .arg_count = 1},
	};

	return db->driver->run(db, calls, FIELD_COUNT(calls));
}

static enum err fold_kinds(struct folding *folding)
{
	enum err err = OK;

	for (enum record_kind kind = 0; kind < RECORD_KINDS && !err; kind++)
		if (has_folds(record_types[kind]))
			err = fold_kind(folding, kind);
	arena_release(&folding->arena);
	return err;
}

enum err folds_count(struct db *db, struct folded *folded_out)
{
	struct folding folding = {.db = db, .dry = true};
	enum err err = fold_kinds(&folding);

	if (!err)
		*folded_out = folding.folded;
	return err;
}

enum err folds_make(struct db *db, struct folded *folded_out)
{
	struct folding folding = {.db = db};
	enum err err = fold_kinds(&folding);

	if (!err)
		err = folding_take_texts(&folding);
	if (!err)
		err = usernames_tell_apart(db, text_unicode_version());
	if (!err)
		*folded_out = folding.folded;
	return err;
}

/* A group of user names of one account that have the same key or skeleton; each group is one line
 * in the log. */
struct names {
	const char *ending; /* the end of the line */
	int64_t groups;
	struct arena arena;
	struct slice account, common;
	struct buf list;
};

static void names_log_group(struct names *names)
{
	if (names->list.len && names->groups++ < GROUPS_LOGGED)
		log_line("account \"%.*s\": the user names %.*s %s", (int)names->account.len,
			 names->account.ptr, (int)names->list.len, names->list.ptr, names->ending);
	buf_clear(&names->list);
}

static enum err names_keep(struct names *names, struct slice text, struct slice *kept_out)
{
	const char *copy = arena_copy(&names->arena, text);

	*kept_out = (struct slice){copy, copy ? text.len : 0};
	return copy ? OK : ERR_NOMEM;
}

static enum err name_row(void *context, const struct db_value *values, size_t count)
{
	struct names *names = context;
	bool first = !slice_eq(values[0].bytes, names->account) ||
		     !slice_eq(values[1].bytes, names->common);
	enum err err = OK;

	(void)count;
	if (first) {
		names_log_group(names);
		arena_release(&names->arena);
		err = names_keep(names, values[0].bytes, &names->account);
		if (!err)
			err = names_keep(names, values[1].bytes, &names->common);
	}
	buf_printf(&names->list, "%s\"%.*s\"", names->list.len ? ", " : "",
		   (int)values[2].bytes.len, values[2].bytes.ptr);
	return err;
}

static void names_log(struct db *db, const char *sql, const char *ending)
{
	struct names names = {.ending = ending, .account = SLICE(""), .common = SLICE("")};
	const struct db_call call = {.sql = sql, .on_row = name_row, .context = &names};

	(void)db->driver->run(db, &call, 1);
	names_log_group(&names);
	if (names.groups > GROUPS_LOGGED)
		log_line("and %lld more groups of user names: docket check lists them",
			 (long long)names.groups - GROUPS_LOGGED);
	buf_release(&names.list);
	arena_release(&names.arena);
}

/* Logs user names that collide. An error here is ignored. */
static void usernames_log_collisions(struct db *db)
{
	names_log(db,
		  "SELECT a.name, s.username_key, s.username FROM staff s JOIN account a"
		  " ON a.id = s.account_id WHERE s.username_exact <> ''"
		  " ORDER BY a.name, s.username_key, s.username",
		  "are the same but for their spelling: each signs in only as it is written, until "
		  "the others are changed");
	names_log(db,
		  "SELECT a.name, s.username_skeleton, s.username FROM staff s JOIN account a"
		  " ON a.id = s.account_id WHERE " USERNAME_LOOKS_ALIKE(
			  "'" ASCII_CHARS "'") " ORDER BY a.name, s.username_skeleton, s.username",
		  "look alike: change all but one, so that nobody takes one for another");
}

static enum err folds_make_in_transaction(struct db *db, struct folded *folded_out)
{
	enum err err = db->driver->begin(db);

	if (!err)
		err = folds_make(db, folded_out);
	return err ? err : db->driver->commit(db, NULL, 0);
}

enum err folds_bring_up(struct db *db, bool migrated, struct buf *why)
{
	char version[FOLDS_VERSION_BYTES];
	struct folded folded = {0};
	enum err err = folds_version(db, version);
	bool made = strcmp(version, text_unicode_version()) == 0;

	if (!err && !made)
		err = folds_make_in_transaction(db, &folded);
	if (err) {
		folds_fail(db, err, "fold the texts of the database anew", why);
		db->driver->rollback(db);
		return err;
	}
	if (!made && version[0])
		log_line("texts are now sorted and compared by Unicode %s, before by %s: %lld "
			 "of %lld records changed",
			 text_unicode_version(), version, (long long)folded.changed,
			 (long long)folded.records);
	if (!made || migrated)
		usernames_log_collisions(db);
	return OK;
}
