/* SPDX-License-Identifier: MIT */
/* Writes of tasks. */
#include "store/store_private.h"

static struct task_create *create_of(struct store_write *write)
{
	return (struct task_create *)(void *)write;
}

static enum err casefile_row(void *context, const struct db_value *values, size_t count)
{
	(void)values;
	(void)count;
	((struct task_create *)context)->facts.casefile_exists = true;
	return OK;
}

static enum err calendar_row(void *context, const struct db_value *values, size_t count)
{
	(void)values;
	(void)count;
	((struct task_create *)context)->facts.calendar_exists = true;
	return OK;
}

static enum err subject_row(void *context, const struct db_value *values, size_t count)
{
	struct task_facts *facts = &((struct task_create *)context)->facts;

	(void)count;
	facts->subject_exists = true;
	facts->subject_casefile_id = values[0].integer;
	return OK;
}

static enum err case_service_row(void *context, const struct db_value *values, size_t count)
{
	struct task_facts *facts = &((struct task_create *)context)->facts;

	(void)count;
	facts->case_service_exists = true;
	facts->case_service_attached = values[0].type != DB_NULL;
	return OK;
}

static enum err user_row(void *context, const struct db_value *values, size_t count)
{
	(void)values;
	(void)count;
	*(bool *)context = true;
	return OK;
}

/* A read of the records that a task names: $1 is the account, $2 the id, $3 the case where the
 * read asks for it. */
struct reference {
	size_t id; /* offset in struct task */
	const char *sql;
	size_t arg_count;
	db_row_fn *on_row;
};

static const struct reference references[] = {
	{offsetof(struct task, casefile_id),
	 "SELECT id FROM casefile WHERE account_id = $1 AND id = $2", 2, casefile_row},
	{offsetof(struct task, calendar_id),
	 "SELECT id FROM calendar WHERE account_id = $1 AND id = $2", 2, calendar_row},
	{offsetof(struct task, subject_id),
	 "SELECT casefile_id FROM subject WHERE account_id = $1 AND id = $2", 2, subject_row},
	{offsetof(struct task, case_service_id),
	 "SELECT a.case_service_id FROM case_service s LEFT JOIN casefile_service a"
	 " ON a.account_id = s.account_id AND a.case_service_id = s.id AND a.casefile_id = $3"
	 " WHERE s.account_id = $1 AND s.id = $2",
	 3, case_service_row},
};

static enum err task_create_read(struct store_write *write, struct calls *calls)
{
	struct task_create *create = create_of(write);
	const struct task *task = create->task;
	const struct id_list *users = &task->users_list;
	size_t count = FIELD_COUNT(references) + users->count;
	struct db_value *args = arena_alloc(write->arena, 3 * count * sizeof(*args));
	enum err err = args ? OK : ERR_NOMEM;

	create->facts = (struct task_facts){0};
	for (size_t i = 0; i < FIELD_COUNT(references) && !err; i++, args += 3) {
		const struct reference *reference = &references[i];
		int64_t id = *(const int64_t *)(const void *)((const char *)task + reference->id);

		args[0] = DB_INT_VALUE(write->scope.account_id);
		args[1] = DB_INT_VALUE(id);
		args[2] = DB_INT_VALUE(task->casefile_id);
		if (id != ID_NONE)
			err = calls_add(calls, reference->sql, args, reference->arg_count,
					reference->on_row, create);
	}
	for (size_t i = 0; i < users->count && !err; i++, args += 3) {
		args[0] = DB_INT_VALUE(write->scope.account_id);
		args[1] = DB_INT_VALUE(users->ids[i]);
		err = calls_add(calls, "SELECT id FROM staff WHERE account_id = $1 AND id = $2",
				args, 2, user_row, &create->facts.user_exists[i]);
	}
	return err;
}

static enum err task_create_decide(struct store_write *write, struct calls *calls)
{
	struct task_create *create = create_of(write);
	enum err err;

	task_check_references(create->task, create->valid, &create->facts, write->faults);
	if (write->faults->count)
		return OK;
	create->task->record.id = ID_NONE;
	err = task_settle(create->task, write->arena, write->now);
	return err ? err : record_insert(write, RECORD_TASK, create->task, calls);
}

void task_create_init(struct task_create *create)
{
	static const struct write_steps steps = {task_create_read, task_create_decide,
						 .only_adds = true};

	*create = (struct task_create){.write = {.steps = &steps}};
}
