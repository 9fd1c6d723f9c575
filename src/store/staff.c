/* SPDX-License-Identifier: MIT */
/* Staff members: to add, change and list them. */
#include "store/store_private.h"

static struct staff_write *staff_of(struct store_write *write)
{
	return (struct staff_write *)(void *)write;
}

static enum err username_row(void *context, const struct db_value *values, size_t count)
{
	struct staff_write *staff = context;

	(void)count;
	staff->found_id = values[0].integer;
	return OK;
}

static enum err read_username(struct store_write *write, struct calls *calls)
{
	struct staff_write *staff = staff_of(write);
	struct db_value *args = arena_alloc(write->arena, 2 * sizeof(*args));

	if (!args)
		return ERR_NOMEM;
	staff->found_id = ID_NONE;
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_TEXT_VALUE(staff->staff->username);
	return calls_add(calls, "SELECT id FROM staff WHERE account_id = $1 AND username = $2",
			 args, 2, username_row, staff);
}

static enum err staff_add_decide(struct store_write *write, struct calls *calls)
{
	struct staff_write *staff = staff_of(write);

	if (staff->found_id != ID_NONE)
		faults_add(write->faults, "staff.username", FAULT_TAKEN,
			   "is taken by staff member %lld", (long long)staff->found_id);
	if (write->faults->count)
		return OK;
	staff->staff->record.id = ID_NONE;
	return record_insert(write, RECORD_STAFF, staff->staff, calls);
}

void staff_add_init(struct staff_write *add)
{
	static const struct write_steps steps = {read_username, staff_add_decide, false};

	*add = (struct staff_write){.write = {.steps = &steps}};
}

static enum err present_row(void *context, const struct db_value *values, size_t count)
{
	struct staff_write *staff = context;
	enum err err =
		record_from_row(&staff_type, values, count, staff->write.arena, &staff->present);

	staff->found_id = staff->present.record.id;
	return err ? err : record_keep(&staff_type, &staff->present, staff->write.arena);
}

static enum err others_row(void *context, const struct db_value *values, size_t count)
{
	struct staff_write *staff = context;

	(void)count;
	staff->others = values[0].integer;
	return OK;
}

static enum err staff_set_read(struct store_write *write, struct calls *calls)
{
	struct staff_write *staff = staff_of(write);
	struct db_value *args = arena_alloc(write->arena, 3 * sizeof(*args));
	enum err err;

	if (!args)
		return ERR_NOMEM;
	staff->found_id = ID_NONE;
	record_clear(&staff_type, &staff->present);
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_INT_VALUE(staff->staff->record.id);
	args[2] = DB_INT_VALUE(STAFF_FULL);
	err = calls_add(calls, write->store->sql[RECORD_STAFF].select, args, 2, present_row, staff);
	return err ? err
		   : calls_add(calls,
			       "SELECT count(*) FROM staff WHERE account_id = $1 AND id <> $2"
			       " AND access_level = $3",
			       args, 3, others_row, staff);
}

/* An account that nobody can use any more could not be mended through the API either. */
static enum err staff_set_decide(struct store_write *write, struct calls *calls)
{
	struct staff_write *staff = staff_of(write);
	struct staff *present = &staff->present;

	if (staff->found_id == ID_NONE)
		return OK;
	if (present->access_level == STAFF_FULL && staff->others == 0 &&
	    (staff->given & field_bit(&staff_type, "access_level")) &&
	    staff->staff->access_level != STAFF_FULL) {
		faults_add(write->faults, "staff.access_level", FAULT_NOT_ALLOWED,
			   "must stay full: it is the last staff member who has it");
		return OK;
	}
	for (size_t i = 0; i < staff_type.field_count; i++) {
		const struct field *field = &staff_type.fields[i];

		if (!(staff->given & UINT64_C(1) << i))
			continue;
		if (field->type == FIELD_TEXT)
			*(struct slice *)FIELD_AT(present, field) =
				*(const struct slice *)CONST_FIELD_AT(staff->staff, field);
		else
			*(int32_t *)FIELD_AT(present, field) =
				*(const int32_t *)CONST_FIELD_AT(staff->staff, field);
	}
	return record_update(write, RECORD_STAFF, present, calls);
}

void staff_set_init(struct staff_write *set)
{
	static const struct write_steps steps = {staff_set_read, staff_set_decide, false};

	*set = (struct staff_write){.write = {.steps = &steps}};
}

static enum err id_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	*(int64_t *)context = values[0].integer;
	return OK;
}

enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out)
{
	const struct db_value args[] = {DB_INT_VALUE(scope->account_id), DB_TEXT_VALUE(username)};
	int64_t id = ID_NONE;
	const struct db_call call = {"SELECT id FROM staff WHERE account_id = $1 AND username = $2",
				     args, 2, id_row, &id};
	enum err err = store_read_now(store, &call, 1);

	if (!err && id == ID_NONE)
		err = ERR_NOT_FOUND;
	if (!err)
		*id_out = id;
	return err;
}
