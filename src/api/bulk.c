/* SPDX-License-Identifier: MIT */
/* Creates and changes many tasks in one request, all or none. */
#include "api/api.h"
#include "api_private.h"
#include "codec/codec.h"
#include "json/read.h"
#include "json/write.h"
#include "model/task.h"
#include "records/patch.h"
#include "records/records.h"

struct bulk {
	struct bulk_write write;
	struct call *call;
	struct record_write *operations;
	struct record_patch *patches; /* of those that change a record */
	struct faults *faults;        /* of each */
	char **prefixes;              /* as "operations[3]" */
};

static struct decode operation_decode(struct bulk *bulk, size_t i)
{
	struct decode decode = record_decode(bulk->call, RECORD_TASK);

	decode.faults = &bulk->faults[i];
	decode.prefix = bulk->prefixes[i];
	return decode;
}

static void *operation_record_new(struct call *call)
{
	void *record = arena_alloc(&call->http->arena, sizeof(struct task));

	if (record)
		record_clear(&task_type, record);
	else
		call->faults.nomem = true;
	return record;
}

static void operation_read_create(struct bulk *bulk, size_t i, const json_t *fields)
{
	struct record_write *one = &bulk->operations[i];
	struct decode decode = operation_decode(bulk, i);

	record_write_init(one, RECORD_TASK, RECORD_CREATE);
	one->record = operation_record_new(bulk->call);
	if (!one->record)
		return;
	decode.faults->most = faults_room(&bulk->call->faults);
	decode_fields(&task_type, fields, &decode, one->record);
	one->given = decode.given;
	one->at_fault = decode.at_fault;
	bulk_tell(decode.faults->first, decode.faults->count, i, RECORD_TASK, &bulk->call->faults);
	bulk->call->faults.nomem |= decode.faults->nomem;
}

static void operation_read_update(struct bulk *bulk, size_t i, const json_t *fields)
{
	const json_t *id = json_object_get(fields, "id");
	struct decode decode = record_decode(bulk->call, RECORD_TASK);
	struct record_write *one = &bulk->operations[i];
	char path[64];

	record_write_init(one, RECORD_TASK, RECORD_UPDATE);
	one->record = operation_record_new(bulk->call);
	one->patch = &bulk->patches[i];
	*one->patch = (struct record_patch){.decode = operation_decode(bulk, i)};
	bulk->call->faults.nomem |=
		json_to_text(fields, &bulk->call->http->arena, &one->patch->text) != OK;
	snprintf(path, sizeof(path), "%s.id", bulk->prefixes[i]);
	if (!id) {
		faults_add(decode.faults, path, FAULT_REQUIRED, "is required");
		return;
	}
	if (!decode_number(&decode, id, path, &one->id))
		return;
	for (size_t j = 0; j < i; j++)
		if (bulk->operations[j].id == one->id) {
			faults_add(decode.faults, path, FAULT_REPEATED,
				   "is the id of an earlier operation as well");
			break;
		}
}

/* Reads an operation: an object with one member, "create" or "update". */
static void operation_read(struct bulk *bulk, size_t i, const json_t *operation)
{
	const json_t *create = json_object_get(operation, "create");
	const json_t *update = json_object_get(operation, "update");
	const json_t *fields = create ? create : update;

	if (!json_is_object(operation) || !json_is_object(fields) ||
	    json_object_size(operation) != 1) {
		faults_add(&bulk->call->faults, bulk->prefixes[i], FAULT_TYPE,
			   "must be {\"create\": {...}} or {\"update\": {...}}");
		record_write_init(&bulk->operations[i], RECORD_TASK, RECORD_CREATE);
		bulk->operations[i].record = operation_record_new(bulk->call);
	} else if (create) {
		operation_read_create(bulk, i, fields);
	} else {
		operation_read_update(bulk, i, fields);
	}
	bulk->operations[i].write.faults = &bulk->faults[i];
}

/* Returns the operations of the body. If they are at fault, adds the fault; the result may be NULL
 * or have no entries. */
static const json_t *bulk_read_body(struct call *call)
{
	static const struct field known = {.name = "operations"};
	const json_t *operations = json_object_get(call->body, known.name);
	struct decode decode = record_decode(call, RECORD_TASK);
	size_t count = json_array_size(operations);

	if (operations)
		decode_unknown(&decode, call->body, "", &known, 1);
	if (!operations)
		faults_add(&call->faults, known.name, FAULT_REQUIRED,
			   "is required: put the operations inside \"operations\": "
			   "{\"operations\": [...]}%s%s",
			   json_is_object(call->body) ? "" : "; got ",
			   json_is_object(call->body) ? "" : json_type_name(call->body));
	else if (!json_is_array(operations))
		faults_add(&call->faults, known.name, FAULT_TYPE, "must be an array; got %s",
			   json_type_name(operations));
	else if (count == 0)
		faults_add(&call->faults, known.name, FAULT_REQUIRED, "must not be empty");
	else if (count > BULK_OPERATIONS_MAX)
		faults_add(&call->faults, known.name, FAULT_TOO_MANY,
			   "must have at most %d entries; got %zu", BULK_OPERATIONS_MAX, count);
	return count <= BULK_OPERATIONS_MAX ? operations : NULL;
}

/* A client that sends such a header relies on it, so the request is refused. */
static bool has_condition(struct call *call)
{
	static const char *const names[] = {"If-Match", "If-None-Match"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (http_header(call->http, names[i]).ptr) {
			problem(call, PROBLEM_MALFORMED_HEADER,
				"the header %s is for one record, not for a request with several operations",
				names[i]);
			return true;
		}
	return false;
}

enum flow tasks_bulk(struct call *call)
{
	const json_t *operations = bulk_read_body(call);
	size_t count = json_array_size(operations);
	struct arena *arena = &call->http->arena;
	struct bulk *bulk;

	if (has_condition(call))
		return FLOW_ANSWERED;
	bulk = arena_alloc(arena, sizeof(*bulk));
	if (bulk) {
		bulk->call = call;
		bulk->operations = arena_alloc(arena, count * sizeof(*bulk->operations));
		bulk->patches = arena_alloc(arena, count * sizeof(*bulk->patches));
		bulk->faults = arena_alloc(arena, count * sizeof(*bulk->faults));
		bulk->prefixes = arena_alloc(arena, count * sizeof(char *));
	}
	if (!bulk || !bulk->operations || !bulk->patches || !bulk->faults || !bulk->prefixes) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	for (size_t i = 0; i < count; i++) {
		faults_init(&bulk->faults[i], arena);
		bulk->prefixes[i] = arena_printf(arena, "operations[%zu]", i);
		call->faults.nomem |= !bulk->prefixes[i];
	}
	for (size_t i = 0; i < count && !call->faults.nomem; i++)
		operation_read(bulk, i, json_array_get(operations, i));
	if (call->faults.nomem) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	for (size_t i = 0; i < count; i++)
		bulk->patches[i].ignored = call->ignored.len;
	bulk_write_init(&bulk->write, bulk->operations, count);
	call->write = bulk;
	return call_write(call, &bulk->write.write);
}

void tasks_bulk_written(struct call *call)
{
	const struct bulk *bulk = call->write;
	const struct idempotency *key = bulk->write.write.key;
	struct buf *out = &call->http->response.body;

	if (bulk->write.write.err || call->faults.count) {
		if (bulk->write.write.err)
			problem_err(call, bulk->write.write.err);
		else
			problem_faults(call, PROBLEM_INVALID_FIELDS);
		return;
	}
	json_open_object(out);
	json_put_key(out, "results");
	json_open_array(out);
	if (key && key->again)
		for (size_t i = 0; i < key->value_count; i++)
			json_put_raw(out, key->values[i]);
	else
		for (size_t i = 0; i < bulk->write.count; i++)
			record_put_written(call, &bulk->operations[i], out);
	json_close_array(out);
	json_close_object(out);
	(void)answer_json(call, OK);
}
