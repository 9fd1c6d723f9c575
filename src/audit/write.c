/* SPDX-License-Identifier: MIT */
/* Adds entries to the audit log. The row `audit` of the table `given` has the number of the last
 * one. A write locks that row before it adds an entry, so two processes never append to the same
 * entry. It locks it last, after the states of its accounts. */
#include "audit_private.h"
#include "base/timefmt.h"
#include "sql/dialect.h"
#include "store/state.h"

#define LOCK "SELECT last FROM given WHERE name = 'audit'"
#define LAST                                         \
	"SELECT at, hash FROM audit WHERE number = " \
	"(SELECT last FROM given WHERE name = 'audit')"

static enum err last_row(void *context, const struct db_value *values, size_t count)
{
	struct audit_write *audit = context;

	(void)count;
	audit->last_at = values[0].integer;
	if (values[1].bytes.len != DIGEST_BYTES)
		return ERR_CORRUPT;
	memcpy(audit->head, values[1].bytes.ptr, DIGEST_BYTES);
	return OK;
}

/* Lists the reads that lock and find the last entry. */
static enum err last_read(struct audit_write *audit, const struct db_driver *driver,
			  struct arena *arena, struct calls *calls)
{
	const char *lock = arena_printf(arena, LOCK "%s", sql_dialect(driver)->lock_row);
	enum err err = lock ? calls_add(calls, lock, NULL, 0, db_number, &audit->last) : ERR_NOMEM;

	audit->last = 0;
	audit->last_at = TIME_MIN;
	memset(audit->head, 0, sizeof(audit->head));
	return err ? err : calls_add(calls, LAST, NULL, 0, last_row, audit);
}

static struct slice text_or_null(struct slice text)
{
	return text.len ? text : (struct slice){NULL, 0};
}

static struct db_value value_or_null(struct slice text)
{
	return text.len ? DB_TEXT_VALUE(text) : DB_NULL_VALUE;
}

/* Lists the insert of the next entry. The texts of `entry` must live until the calls were run. */
static enum err entry_insert(const struct audit_write *audit, struct audit_entry *entry,
			     struct arena *arena, struct calls *calls)
{
	static const char insert[] = "INSERT INTO audit (" AUDIT_COLUMNS ") VALUES"
				     " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
	unsigned char *bytes = arena_alloc(arena, SALT_BYTES + 2 * DIGEST_BYTES);
	enum err err;

	if (!bytes)
		return ERR_NOMEM;
	salt_make(bytes);
	entry->number = audit->last + 1;
	entry->at = entry->at < audit->last_at ? audit->last_at : entry->at;
	entry->salt = (struct slice){(const char *)bytes, SALT_BYTES};
	entry->digest = (struct slice){(const char *)bytes + SALT_BYTES, DIGEST_BYTES};
	audit_digest(entry, bytes + SALT_BYTES);
	audit_hash(entry, audit->head, bytes + SALT_BYTES + DIGEST_BYTES);
	entry->hash = (struct slice){(const char *)bytes + SALT_BYTES + DIGEST_BYTES, DIGEST_BYTES};
	err = calls_ask(calls, insert, NULL, NULL, DB_INT_VALUE(entry->number),
			DB_INT_VALUE(entry->at), DB_INT_VALUE(entry->uid),
			value_or_null(entry->username), value_or_null(entry->sudo_username),
			DB_TEXT_VALUE(entry->command), DB_INT_VALUE(entry->account_id),
			value_or_null(entry->account), DB_TEXT_VALUE(entry->details),
			DB_BYTES_VALUE(entry->salt), DB_BYTES_VALUE(entry->digest),
			DB_BYTES_VALUE(entry->hash));
	return err ? err
		   : calls_ask(calls, "UPDATE given SET last = $1 WHERE name = 'audit'", NULL, NULL,
			       DB_INT_VALUE(entry->number));
}

static struct audit_entry entry_begin(const struct audit_user *by, const char *command, int64_t now)
{
	return (struct audit_entry){
		.at = now,
		.uid = by->uid,
		.username = text_or_null(slice_of(by->username)),
		.sudo_username = text_or_null(slice_of(by->sudo_username)),
		.command = slice_of(command),
		.account_id = ID_NONE,
	};
}

/* Prepares the inner write for a step. */
static struct store_write *inner_prepare(struct audit_write *audit)
{
	struct store_write *outer = &audit->write, *inner = audit->inner;

	inner->store = outer->store;
	inner->account = outer->account;
	inner->now = outer->now;
	inner->faults_before = outer->faults_before;
	inner->faults_last = outer->faults_last;
	return inner;
}

static struct audit_write *audit_of(struct store_write *write)
{
	return (struct audit_write *)(void *)write;
}

static enum err audit_read_first(struct store_write *write, struct calls *calls)
{
	struct audit_write *audit = audit_of(write);
	struct store_write *inner = inner_prepare(audit);
	enum err err;

	inner->value = (struct slice){NULL, 0};
	inner->due_at = TIME_NONE;
	err = inner->steps->read(inner, calls);
	return err ? err : last_read(audit, write->store->driver, write->arena, calls);
}

static enum err audit_read_more(struct store_write *write, struct calls *calls)
{
	struct store_write *inner = inner_prepare(audit_of(write));

	return inner->steps->read_more ? inner->steps->read_more(inner, calls) : OK;
}

/* Adds the entry, unless the inner write has done nothing. */
static enum err audit_tell(struct audit_write *audit, struct calls *calls)
{
	struct arena *arena = audit->write.arena;
	struct audit_entry entry = entry_begin(audit->by, audit->command, audit->write.now);
	struct buf details = {0};
	const char *copy = NULL;
	enum err err = audit->describe(audit->context, &details);
	bool done = !err && details.len;

	if (done)
		copy = arena_copy(arena, buf_slice(&details));
	entry.details = (struct slice){copy, details.len};
	entry.account = audit->account;
	if (audit->account.len)
		entry.account_id = audit->inner->scope.account_id;
	if (details.failed || (done && !copy))
		err = ERR_NOMEM;
	buf_release(&details);
	return err || !done ? err : entry_insert(audit, &entry, arena, calls);
}

static enum err audit_decide(struct store_write *write, struct calls *calls)
{
	struct audit_write *audit = audit_of(write);
	struct store_write *inner = inner_prepare(audit);
	enum err err = inner->steps->decide(inner, calls);

	write->scope = inner->scope;
	write->value = inner->value;
	write->due_at = inner->due_at;
	return err || write->faults->count ? err : audit_tell(audit, calls);
}

void audit_write_init(struct audit_write *audit, struct store_write *inner, const char *command)
{
	*audit = (struct audit_write){
		.write = {.job = inner->job,
			  .scope = inner->scope,
			  .arena = inner->arena,
			  .faults = inner->faults},
		.inner = inner,
		.command = command,
		.steps = {.read = audit_read_first,
			  .read_more = audit_read_more,
			  .decide = audit_decide,
			  .makes_account = inner->steps->makes_account,
			  .keeps_access = inner->steps->keeps_access},
	};
	audit->write.steps = &audit->steps;
	audit_user_of_process(&audit->process);
	audit->by = &audit->process;
}

void audit_nothing_init(struct store_write *nothing)
{
	static const struct write_steps steps = {.read = read_nothing,
						 .decide = read_nothing,
						 .makes_account = true,
						 .keeps_access = true};

	*nothing = (struct store_write){.steps = &steps};
}

static enum err audit_is_there(struct db *db, bool *there_out)
{
	const struct db_value name = DB_TEXT_VALUE(slice_of("audit"));
	const struct db_call call = {.sql = sql_dialect(db->driver)->columns,
				     .args = &name,
				     .arg_count = 1,
				     .on_row = any_row,
				     .context = there_out};

	return db->driver->run(db, &call, 1);
}

enum err audit_append(struct db *db, const char *command, struct slice details, int64_t now)
{
	struct audit_write audit = {.command = command};
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	struct audit_entry entry;
	bool there = false;
	enum err err = audit_is_there(db, &there);

	if (err || !there)
		return err;
	audit_user_of_process(&audit.process);
	entry = entry_begin(&audit.process, command, now);
	entry.details = details;
	err = last_read(&audit, db->driver, &arena, &calls);
	if (!err)
		err = db->driver->run(db, calls.list, calls.count);
	calls.count = 0;
	if (!err)
		err = entry_insert(&audit, &entry, &arena, &calls);
	if (!err)
		err = db->driver->run(db, calls.list, calls.count);
	arena_release(&arena);
	return err;
}
