/* SPDX-License-Identifier: MIT */
/* Many creates and changes as one write: their steps are those of each, one behind the other. */
#include "json/write.h"
#include "records/records.h"
#include "store/state.h"

static struct bulk_write *bulk_of(struct store_write *write)
{
	return (struct bulk_write *)(void *)write;
}

void bulk_tell(const struct fault *first, size_t operation, enum record_kind kind,
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
	}
}

/* Each run of the steps starts afresh. */
static void operation_prepare(const struct store_write *whole, struct store_write *one)
{
	one->scope = whole->scope;
	one->arena = whole->arena;
	one->store = whole->store;
	one->account = whole->account;
	one->request_id = whole->request_id;
	one->value = (struct slice){NULL, 0};
	*one->faults_last = NULL;
	one->faults->last = one->faults_last;
	one->faults->count = one->faults_before;
}

static enum err bulk_read_first(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		struct store_write *one = &bulk->operations[i].write;

		operation_prepare(write, one);
		err = one->steps->read(one, calls);
	}
	return err;
}

static enum err bulk_read_more(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		struct store_write *one = &bulk->operations[i].write;

		if (one->steps->read_more)
			err = one->steps->read_more(one, calls);
	}
	return err;
}

static struct slice key_of(const struct record_write *one)
{
	const struct record_type *type = record_types[one->kind];

	return *(const struct slice *)CONST_FIELD_AT(one->record, field_of(type, "external_id"));
}

/* What the operations have of each other, which none has read. */
static void check_together(struct bulk_write *bulk, size_t i)
{
	const struct record_write *one = &bulk->operations[i];
	struct slice key = key_of(one);
	char field[64];

	for (size_t j = 0; j < i && key.len; j++) {
		if (!slice_eq(key_of(&bulk->operations[j]), key))
			continue;
		snprintf(field, sizeof(field), "operations[%zu].external_id", i);
		faults_add(bulk->write.faults, field, FAULT_TAKEN,
			   "is already used by operations[%zu]", j);
		break;
	}
}

static enum err decide_one(struct bulk_write *bulk, size_t i, struct calls *calls)
{
	struct record_write *one = &bulk->operations[i];
	char field[64];
	enum err err;

	if (one->action == RECORD_UPDATE && one->id == ID_NONE)
		return OK; /* told already */
	if (one->action == RECORD_UPDATE && !one->found) {
		snprintf(field, sizeof(field), "operations[%zu].id", i);
		faults_add(bulk->write.faults, field, FAULT_NOT_FOUND, "%lld: no such task",
			   (long long)one->id);
		return OK;
	}
	check_together(bulk, i);
	err = one->write.steps->decide(&one->write, calls);
	bulk_tell(*one->write.faults_last, i, one->kind, bulk->write.faults);
	return err;
}

/* For a key that is sent again: the history has what the answer is made of. */
static enum err keep_changes(struct bulk_write *bulk)
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

/* One that is at fault takes back what the others have listed. */
static enum err bulk_decide(struct store_write *write, struct calls *calls)
{
	struct bulk_write *bulk = bulk_of(write);
	struct account_state before = *write->account;
	size_t listed = calls->count;
	enum err err = OK;

	for (size_t i = 0; i < bulk->count && !err; i++) {
		bulk->operations[i].write.account = write->account;
		err = decide_one(bulk, i, calls);
	}
	if (!err && write->key)
		err = keep_changes(bulk);
	if (write->faults->count) {
		*write->account = before;
		calls->count = listed;
	}
	return err;
}

void bulk_write_init(struct bulk_write *bulk, struct record_write *operations, size_t count)
{
	static const struct write_steps steps = {
		.read = bulk_read_first, .read_more = bulk_read_more, .decide = bulk_decide};

	*bulk = (struct bulk_write){
		.write = {.steps = &steps}, .operations = operations, .count = count};
	for (size_t i = 0; i < count; i++) {
		operations[i].write.faults_before = operations[i].write.faults->count;
		operations[i].write.faults_last = operations[i].write.faults->last;
	}
}
