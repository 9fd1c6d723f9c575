/* SPDX-License-Identifier: MIT */
/* Many creates and changes as one write. Each step runs the same step of every operation, in
 * order. */
#include "base/timefmt.h"
#include "json/write.h"
#include "records/records.h"
#include "store/state.h"

static struct bulk_write *bulk_of(struct store_write *write)
{
	return (struct bulk_write *)(void *)write;
}

void bulk_tell(const struct fault *first, size_t count, size_t operation, enum record_kind kind,
	       struct faults *faults)
{
	const char *name = record_types[kind]->name;
	size_t front = strlen(name);

	for (const struct fault *fault = first; fault; fault = fault->next) {
		bool of_rule =
			strncmp(fault->field, name, front) == 0 && fault->field[front] == '.';
		char field[64];

		snprintf(field, sizeof(field), "operations[%zu]%s", operation,
			 of_rule ? fault->field + front : "");
		faults_add(faults, of_rule ? field : fault->field, fault->code, "%s",
			   fault->message);
		count--;
	}
	faults->count += count;
}

/* Every run of the steps starts from the beginning. */
static void operation_prepare(const struct store_write *whole, struct store_write *operation)
{
	operation->scope = whole->scope;
	operation->arena = whole->arena;
	operation->store = whole->store;
	operation->account = whole->account;
	operation->request_id = whole->request_id;
	operation->value = (struct slice){NULL, 0};
	operation->now = whole->now;
	operation->due_at = TIME_NONE;
	*operation->faults_last = NULL;
	operation->faults->last = operation->faults_last;
	operation->faults->count = operation->faults_before;
}

static enum err bulk_read_first(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		struct store_write *operation = &bulk->operations[i].write;

		operation_prepare(write, operation);
		err = operation->steps->read(operation, calls);
	}
	return err;
}

static enum err bulk_read_more(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		struct store_write *operation = &bulk->operations[i].write;

		if (operation->steps->read_more)
			err = operation->steps->read_more(operation, calls);
	}
	return err;
}

static struct slice operation_key(const struct record_write *operation)
{
	const struct record_type *type = record_types[operation->kind];

	return *(const struct slice *)CONST_FIELD_AT(operation->record,
						     field_of(type, "external_id"));
}

/* Adds a fault if an operation before this one has the same external_id. The reads cannot find it,
 * because nothing of the bulk is written yet. */
static void bulk_check_external_id(struct bulk_write *bulk, size_t i)
{
	const struct record_write *operation = &bulk->operations[i];
	struct slice key = operation_key(operation);
	char field[64];

	for (size_t j = 0; j < i && key.len; j++) {
		if (!slice_eq(operation_key(&bulk->operations[j]), key))
			continue;
		snprintf(field, sizeof(field), "operations[%zu].external_id", i);
		faults_add(bulk->write.faults, field, FAULT_TAKEN,
			   "is already used by operations[%zu]", j);
		break;
	}
}

static enum err operation_decide(struct bulk_write *bulk, size_t i, struct calls *calls)
{
	struct record_write *operation = &bulk->operations[i];
	char field[64];
	enum err err;

	if (operation->action == RECORD_UPDATE && operation->id == ID_NONE)
		return OK; /* it has a fault already */
	if (operation->action == RECORD_UPDATE && !operation->found) {
		snprintf(field, sizeof(field), "operations[%zu].id", i);
		faults_add(bulk->write.faults, field, FAULT_NOT_FOUND, "%lld: no such task",
			   (long long)operation->id);
		return OK;
	}
	bulk_check_external_id(bulk, i);
	operation->write.faults->most =
		operation->write.faults_before + faults_room(bulk->write.faults);
	err = operation->write.steps->decide(&operation->write, calls);
	write_note_due(&bulk->write, operation->write.due_at);
	bulk_tell(*operation->write.faults_last,
		  operation->write.faults->count - operation->write.faults_before, i,
		  operation->kind, bulk->write.faults);
	return err;
}

/* Stores the change numbers with the idempotency key. If the client sends the request again, docket
 * finds the records of the first answer in the history by these numbers. */
static enum err bulk_keep_changes(struct bulk_write *bulk)
{
	struct buf text = {0};
	const char *copy;

	json_open_array(&text);
	for (size_t i = 0; i < bulk->count; i++)
		json_put_int(&text, ((struct record *)bulk->operations[i].record)->change);
	json_close_array(&text);
	copy = text.failed ? NULL : arena_copy(bulk->write.arena, buf_slice(&text));
	bulk->write.key->changes = (struct slice){copy, text.len};
	buf_release(&text);
	return copy ? OK : ERR_NOMEM;
}

/* If one operation has a fault, the statements and tallies of all are dropped. */
static enum err bulk_decide(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	struct account_state before = *write->account;
	size_t listed = calls->count, tallied = before.tallies ? before.tallies->len : 0;
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		bulk->operations[i].write.account = write->account;
		err = operation_decide(bulk, i, calls);
	}
	if (!err && write->key)
		err = bulk_keep_changes(bulk);
	if (write->faults->count) {
		*write->account = before;
		if (before.tallies)
			before.tallies->len = tallied;
		calls->count = listed;
	}
	return err;
}

void bulk_write_init(struct bulk_write *bulk, struct record_write *operations, size_t count)
{
	static const struct write_steps steps = {
		.read = bulk_read_first, .read_more = bulk_read_more, .decide = bulk_decide};

	*bulk = (struct bulk_write){
		.write = {.job = {.group = GROUP_RECORDS + RECORD_TASK, .weight = count},
			  .steps = &steps},
		.operations = operations,
		.count = count};
	for (size_t i = 0; i < count; i++) {
		operations[i].write.faults_before = operations[i].write.faults->count;
		operations[i].write.faults_last = operations[i].write.faults->last;
	}
}
