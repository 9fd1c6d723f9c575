/* SPDX-License-Identifier: MIT */
/* Creates, changes and deletes records of every kind. What differs between kinds is in the tables
 * of model/, in references.c and in `extras`. */
#include "json/read.h"
#include "records/patch.h"
#include "records/record_change.h"
#include "records/records.h"
#include "record_extra.h"
#include "references.h"
#include "sql/values.h"

/* By kind; NULL: nothing more. */
static const struct record_extra *const extras[RECORD_KINDS] = {
	[RECORD_STAFF] = &staff_extra,
	[RECORD_TASK] = &task_extra,
};

static struct record_write *record_write_of(struct store_write *write)
{
	return (struct record_write *)(void *)write;
}

static enum err record_before_row(void *context, const struct db_value *values, size_t count)
{
	struct record_write *write = context;
	const struct record_type *type = record_types[write->kind];
	struct arena *arena = write->write.arena;
	enum err err = record_from_row(type, values, count, arena, write->before);

	write->found = true;
	return err ? err : record_keep(type, write->before, arena);
}

static enum err record_read_before(struct record_write *write, struct calls *calls)
{
	return calls_ask(calls, write->write.store->sql.records[write->kind].select,
			 record_before_row, write, DB_INT_VALUE(write->write.scope.account_id),
			 DB_INT_VALUE(write->id));
}

/* Every run of the steps starts from the beginning. */
static enum err record_start(struct record_write *write)
{
	struct arena *arena = write->write.arena;

	write->extra = NULL;
	write->found = write->match_failed = write->none_match_failed = write->unchanged = false;
	write->names = arena_alloc(arena, sizeof(*write->names));
	write->dependents = arena_alloc(arena, sizeof(*write->dependents));
	if (!write->names || !write->dependents)
		return ERR_NOMEM;
	if (write->action == RECORD_CREATE)
		return record_begin(&write->write, write->kind, write->record, &write->asked);
	/* Drop the ignored names of an earlier run. */
	if (write->patch)
		write->patch->decode.ignored->len = write->patch->ignored;
	write->before = arena_alloc(arena, record_types[write->kind]->size);
	return write->before ? OK : ERR_NOMEM;
}

/* Lists the reads of the records that the record names, and of others with the same unique
 * value. */
static enum err record_read_names(struct record_write *write, struct calls *calls)
{
	return references_read(write->names, &write->write, write->kind, write->record,
			       write->given, calls);
}

static enum err record_read_extra(struct record_write *write, struct calls *calls)
{
	const struct record_extra *extra = extras[write->kind];

	return extra && extra->read ? extra->read(write, calls) : OK;
}

static enum err record_read_first(struct store_write *base, struct calls *calls)
{
	struct record_write *write = record_write_of(base);
	enum err err = record_start(write);

	if (err || write->action != RECORD_CREATE)
		return err ? err : record_read_before(write, calls);
	err = record_read_names(write, calls);
	return err ? err : record_read_extra(write, calls);
}

bool versions_name(const struct versions *versions, int64_t change)
{
	for (size_t i = 0; i < versions->count; i++)
		if (versions->changes[i] == change)
			return true;
	return versions->any;
}

/* Whether the conditions hold for the stored record. */
static bool record_match_versions(struct record_write *write)
{
	const struct record *before = write->before;

	write->match_failed =
		write->if_match.given && !versions_name(&write->if_match, before->change);
	write->none_match_failed =
		write->if_none_match.given && versions_name(&write->if_none_match, before->change);
	return !write->match_failed && !write->none_match_failed;
}

/* The fields that the rules check: on a create those given without a fault, else all that are not
 * at fault. */
static uint64_t record_valid_fields(const struct record_write *write)
{
	return write->action == RECORD_CREATE ? write->given : ~write->at_fault;
}

/* Applies the patch to a copy of the stored record. */
static enum err record_merge_patch(struct record_write *write)
{
	const struct record_type *type = record_types[write->kind];
	struct record_patch *patch = write->patch;
	const char *message;
	json_t *fields = json_read(patch->text, write->write.arena, &message);

	if (!fields)
		return ERR_NOMEM;
	decode_patch(type, fields, &patch->decode, write->before, write->record);
	json_decref(fields);
	write->given = patch->decode.given;
	write->at_fault = patch->decode.at_fault;
	return patch->decode.faults->nomem ? ERR_NOMEM : OK;
}

/* Applies the change, a patch or a struct, to a copy of the stored record. */
static enum err record_merge(struct record_write *write)
{
	const struct record_type *type = record_types[write->kind];

	if (write->patch)
		return record_merge_patch(write);
	for (size_t i = 0; i < type->field_count; i++)
		if (write->given & UINT64_C(1) << i)
			field_copy(&type->fields[i], write->changes, write->record);
	return OK;
}

static enum err record_read_more(struct store_write *base, struct calls *calls)
{
	struct record_write *write = record_write_of(base);
	const struct record_type *type = record_types[write->kind];
	const struct record *after = NULL;
	enum err err = OK;

	if (write->action == RECORD_CREATE || !write->found)
		return OK;
	if (!record_match_versions(write))
		return OK;
	memcpy(write->record, write->before, type->size);
	if (write->action == RECORD_UPDATE) {
		after = write->record;
		err = record_merge(write);
		if (!err)
			err = record_read_names(write, calls);
	}
	if (!err)
		err = dependents_read(write->dependents, base, write->kind, write->before, after,
				      calls);
	return err ? err : record_read_extra(write, calls);
}

/* Adds faults for the new record, and for what depends on the stored one. */
static void record_check(struct record_write *write)
{
	const struct record_type *type = record_types[write->kind];
	const struct record_extra *extra = extras[write->kind];
	struct faults *faults = write->write.faults;

	if (write->action != RECORD_DELETE) {
		if (type->check)
			type->check(write->record, write->before, write->given, write->at_fault,
				    faults);
		references_check(write->names, write->kind, write->record,
				 record_valid_fields(write), faults);
	}
	if (write->action != RECORD_CREATE)
		dependents_check(write->dependents, write->kind, faults);
	if (extra && extra->check)
		extra->check(write);
}

static enum err record_finish(struct record_write *write, struct calls *calls)
{
	const struct record_extra *extra = extras[write->kind];

	return extra && extra->finish ? extra->finish(write, calls) : OK;
}

static enum err record_decide_create(struct record_write *write, struct calls *calls)
{
	return record_insert(&write->write, write->kind, write->record, calls);
}

static enum err record_decide_update(struct record_write *write, struct calls *calls)
{
	const struct record_extra *extra = extras[write->kind];
	enum err err = record_derive(&write->write, write->kind, write->record, write->before);

	if (err || write->write.faults->count)
		return err;
	if (extra && extra->derive)
		extra->derive(write);
	write->unchanged = record_is_same(record_types[write->kind], write->before, write->record);
	if (write->unchanged)
		return OK;
	err = record_update(&write->write, write->kind, write->record, write->before, calls);
	return err ? err : record_finish(write, calls);
}

static enum err record_decide_delete(struct record_write *write, struct calls *calls)
{
	enum err err = record_delete(&write->write, write->kind, write->before, calls);

	return err ? err : record_finish(write, calls);
}

static enum err record_decide(struct store_write *base, struct calls *calls)
{
	static enum err (*const actions[])(struct record_write * write, struct calls * calls) = {
		[RECORD_CREATE] = record_decide_create,
		[RECORD_UPDATE] = record_decide_update,
		[RECORD_DELETE] = record_decide_delete,
	};
	struct record_write *write = record_write_of(base);

	if (write->action != RECORD_CREATE &&
	    (!write->found || write->match_failed || write->none_match_failed))
		return OK;
	record_check(write);
	return write->write.faults->count ? OK : actions[write->action](write, calls);
}

void record_write_init(struct record_write *write, enum record_kind kind, enum record_action action)
{
	/* In most kinds a create need not read what another create inserts, so their first steps
	 * can run together. A create of a kind that has a row in `extras` runs alone. */
	static const struct write_steps creates = {
		.read = record_read_first, .decide = record_decide, .only_adds = true};
	static const struct write_steps creates_alone = {.read = record_read_first,
							 .decide = record_decide};
	static const struct write_steps changes = {
		.read = record_read_first, .read_more = record_read_more, .decide = record_decide};

	*write = (struct record_write){
		.write = {.job = {.group = GROUP_RECORDS + kind},
			  .steps = action != RECORD_CREATE                       ? &changes
				   : extras[kind] && extras[kind]->creates_alone ? &creates_alone
										 : &creates},
		.kind = kind,
		.action = action,
	};
}
