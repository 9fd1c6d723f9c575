/* SPDX-License-Identifier: MIT */
/* Creates, changes and deletes records of every kind: what is different of a kind is in the tables
 * of model/ and in references.c. */
#include "model/staff.h"
#include "records/patch.h"
#include "records/record_change.h"
#include "records/records.h"
#include "references.h"
#include "sql/values.h"
#include "records/usernames.h"

static struct record_write *write_of(struct store_write *write)
{
	return (struct record_write *)(void *)write;
}

static enum err before_row(void *context, const struct db_value *values, size_t count)
{
	struct record_write *write = context;
	const struct record_type *type = record_types[write->kind];
	struct arena *arena = write->write.arena;
	enum err err = record_from_row(type, values, count, arena, write->before);

	write->found = true;
	return err ? err : record_keep(type, write->before, arena);
}

/* An account that nobody can use any more could not be mended through the API either. */
static enum err read_others(struct record_write *write, struct calls *calls)
{
	return calls_ask(calls,
			 "SELECT count(*) FROM staff WHERE account_id = $1 AND id <> $2"
			 " AND access_level = $3",
			 db_number, &write->others, DB_INT_VALUE(write->write.scope.account_id),
			 DB_INT_VALUE(write->id), DB_INT_VALUE(STAFF_FULL));
}

static enum err read_before(struct record_write *write, struct calls *calls)
{
	enum err err = calls_ask(calls, write->write.store->sql.records[write->kind].select,
				 before_row, write, DB_INT_VALUE(write->write.scope.account_id),
				 DB_INT_VALUE(write->id));

	return !err && write->kind == RECORD_STAFF ? read_others(write, calls) : err;
}

/* Each run of the steps starts afresh. */
static enum err start(struct record_write *write)
{
	struct arena *arena = write->write.arena;

	write->username = NULL;
	write->found = write->match_failed = write->none_match_failed = write->unchanged = false;
	write->names = arena_alloc(arena, sizeof(*write->names));
	write->dependents = arena_alloc(arena, sizeof(*write->dependents));
	if (!write->names || !write->dependents)
		return ERR_NOMEM;
	if (write->action == RECORD_CREATE)
		return record_begin(&write->write, write->kind, write->record, &write->asked);
	/* What the patch has brought in an earlier run is void. */
	if (write->patch)
		write->patch->decode.ignored->len = write->patch->ignored;
	write->before = arena_alloc(arena, record_types[write->kind]->size);
	return write->before ? OK : ERR_NOMEM;
}

/* Reads the records that the changed record names, and any other with the same unique value. */
static enum err read_names(struct record_write *write, struct calls *calls)
{
	const struct staff *staff = write->record, *before = write->before;
	bool creates = write->action == RECORD_CREATE;
	enum err err = references_read(write->names, &write->write, write->kind, write->record,
				       write->given, calls);

	if (err || write->kind != RECORD_STAFF ||
	    !(write->given & field_bit(&staff_type, "username")) ||
	    (!creates && slice_eq(before->username, staff->username)))
		return err;
	return username_read(&write->write, staff, creates ? NULL : before, calls,
			     &write->username);
}

static enum err record_read_first(struct store_write *base, struct calls *calls)
{
	struct record_write *write = write_of(base);
	enum err err = start(write);

	if (err)
		return err;
	return write->action == RECORD_CREATE ? read_names(write, calls)
					      : read_before(write, calls);
}

bool versions_name(const struct versions *versions, int64_t change)
{
	for (size_t i = 0; i < versions->count; i++)
		if (versions->changes[i] == change)
			return true;
	return versions->any;
}

/* Whether the conditions hold for the record as it is. */
static bool is_meant(struct record_write *write)
{
	const struct record *before = write->before;

	write->match_failed =
		write->if_match.given && !versions_name(&write->if_match, before->change);
	write->none_match_failed =
		write->if_none_match.given && versions_name(&write->if_none_match, before->change);
	return !write->match_failed && !write->none_match_failed;
}

/* Every field that is not at fault: the rules hold over the whole record. */
static uint64_t valid_of(const struct record_write *write)
{
	return write->action == RECORD_CREATE ? write->given : ~write->at_fault;
}

/* Makes the record, which is as it was, what it is to be. */
static void merge(struct record_write *write)
{
	const struct record_type *type = record_types[write->kind];
	struct record_patch *patch = write->patch;

	if (patch) {
		decode_patch(type, patch->fields, &patch->decode, write->before, write->record);
		write->given = patch->decode.given;
		write->at_fault = patch->decode.at_fault;
		return;
	}
	for (size_t i = 0; i < type->field_count; i++)
		if (write->given & UINT64_C(1) << i)
			field_copy(&type->fields[i], write->changes, write->record);
}

static enum err read_second(struct store_write *base, struct calls *calls)
{
	struct record_write *write = write_of(base);
	const struct record_type *type = record_types[write->kind];
	const struct record *after = NULL;
	enum err err = OK;

	if (write->action == RECORD_CREATE || !write->found)
		return OK;
	if (!is_meant(write))
		return OK;
	memcpy(write->record, write->before, type->size);
	if (write->action == RECORD_UPDATE) {
		merge(write);
		after = write->record;
		err = read_names(write, calls);
	}
	return err ? err
		   : dependents_read(write->dependents, base, write->kind, write->before, after,
				     calls);
}

static void check(struct record_write *write)
{
	const struct record_type *type = record_types[write->kind];
	const void *before = write->action == RECORD_CREATE ? NULL : write->before;
	struct faults *faults = write->write.faults;

	if (type->check)
		type->check(write->record, before, write->given, write->at_fault, faults);
	references_check(write->names, write->kind, write->record, valid_of(write), faults);
	username_check(write->username, faults);
}

static bool is_last_full(const struct record_write *write)
{
	const struct staff *before = write->before, *after = write->record;

	return write->kind == RECORD_STAFF && before->access_level == STAFF_FULL &&
	       write->others == 0 &&
	       (write->action == RECORD_DELETE || after->access_level != STAFF_FULL);
}

/* What depends on the record as it is; `field` is the one that a staff member loses access by. */
static void check_dependents(struct record_write *write, const char *field)
{
	dependents_check(write->dependents, write->kind, write->write.faults);
	if (is_last_full(write))
		faults_add(write->write.faults, field, FAULT_IN_USE,
			   "cannot change: this is the last staff member with full access");
}

static enum err create(struct record_write *write, struct calls *calls)
{
	check(write);
	return write->write.faults->count
		       ? OK
		       : record_insert(&write->write, write->kind, write->record, calls);
}

/* Of a staff member whose user name was the same as others' but for its spelling. */
static enum err leave_username(struct record_write *write, struct calls *calls)
{
	const struct staff *before = write->before, *after = write->record;

	if (write->kind != RECORD_STAFF || !before->username_exact.len ||
	    (write->action == RECORD_UPDATE && after->username_exact.len))
		return OK;
	return username_leave(&write->write, before, calls);
}

static enum err update(struct record_write *write, struct calls *calls)
{
	enum err err;

	check(write);
	check_dependents(write, "staff.access_level");
	if (write->write.faults->count)
		return OK;
	err = record_derive(&write->write, write->kind, write->record, write->before);
	if (err)
		return err;
	write->unchanged = record_is_same(record_types[write->kind], write->before, write->record);
	if (write->unchanged)
		return OK;
	err = record_update(&write->write, write->kind, write->record, write->before, calls);
	return err ? err : leave_username(write, calls);
}

static enum err delete (struct record_write *write, struct calls *calls) {
	enum err err;

	check_dependents(write, record_types[write->kind]->name);
	if (write->write.faults->count) return OK;
	err = record_delete(&write->write, write->kind, write->before, calls);
	return err ? err : leave_username(write, calls);
}

static enum err record_decide(struct store_write *base, struct calls *calls)
{
	static enum err (*const actions[])(struct record_write * write, struct calls * calls) = {
		[RECORD_CREATE] = create,
		[RECORD_UPDATE] = update,
		[RECORD_DELETE] = delete,
	};
	struct record_write *write = write_of(base);

	if (write->action != RECORD_CREATE &&
	    (!write->found || write->match_failed || write->none_match_failed))
		return OK;
	return actions[write->action](write, calls);
}

void record_write_init(struct record_write *write, enum record_kind kind, enum record_action action)
{
	/* A new record changes nothing that another new one looks at, but a user name. */
	static const struct write_steps creates = {
		.read = record_read_first, .decide = record_decide, .only_adds = true};
	static const struct write_steps creates_staff = {.read = record_read_first,
							 .decide = record_decide};
	static const struct write_steps changes = {
		.read = record_read_first, .read_more = read_second, .decide = record_decide};

	*write = (struct record_write){
		.write = {.steps = action != RECORD_CREATE ? &changes
				   : kind == RECORD_STAFF  ? &creates_staff
							   : &creates},
		.kind = kind,
		.action = action,
	};
}
