/* SPDX-License-Identifier: MIT */
/* Requests that create, change or delete a record, of any kind. */
#include "api_private.h"
#include "codec/codec.h"
#include "json/write.h"
#include "records/records.h"

/* A record_write with what its request brings. */
struct writing {
	struct record_write write;
	struct call *call;
	const json_t *fields; /* of a patch */
	size_t ignored;       /* bytes of call->ignored that the parameters have written */
};

struct decode record_decode(struct call *call, enum record_kind kind)
{
	return (struct decode){
		.arena = &call->http->arena,
		.faults = &call->faults,
		.prefix = record_types[kind]->name,
		.account = &call->access.account,
		.waived = kind == RECORD_TASK && !call->access.account.require_case
				  ? field_bit(&task_type, "casefile_id")
				  : 0,
		.lenient = call->lenient,
		.ignored = &call->ignored,
	};
}

static struct writing *writing_new(struct call *call, enum record_action action)
{
	struct arena *arena = &call->http->arena;
	struct writing *writing = arena_alloc(arena, sizeof(*writing));
	void *record = arena_alloc(arena, record_types[call->route->kind]->size);

	if (!writing || !record) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	record_write_init(&writing->write, call->route->kind, action);
	writing->write.record = record;
	writing->call = call;
	writing->ignored = call->ignored.len;
	call->write = writing;
	return writing;
}

enum flow record_create(struct call *call)
{
	struct writing *writing = writing_new(call, RECORD_CREATE);
	struct decode decode = record_decode(call, call->route->kind);

	if (!writing)
		return FLOW_ANSWERED;
	decode_new(record_types[call->route->kind], call->body, &decode, writing->write.record);
	writing->write.given = decode.given;
	writing->write.at_fault = decode.at_fault;
	return call_write(call, &writing->write.write);
}

/* On the thread that writes, when the record was read. */
static void writing_merge(struct record_write *write, const void *before)
{
	struct writing *writing = write->merge_context;
	struct decode decode = record_decode(writing->call, write->kind);

	writing->call->ignored.len = writing->ignored;
	decode_patch(record_types[write->kind], writing->fields, &decode, before, write->record);
	write->given = decode.given;
	write->at_fault = decode.at_fault;
}

/* For the record that the path names, in a version that the request names. */
static struct writing *writing_of_path(struct call *call, enum record_action action)
{
	struct writing *writing = writing_new(call, action);

	if (!writing)
		return NULL;
	if (!call_id(call, &writing->write.id)) {
		problem_err(call, ERR_NOT_FOUND);
		return NULL;
	}
	return versions_read(call, "If-Match", &writing->write.versions) &&
			       versions_read(call, "If-None-Match", &writing->write.unless)
		       ? writing
		       : NULL;
}

enum flow record_patch(struct call *call)
{
	struct writing *writing = writing_of_path(call, RECORD_UPDATE);

	if (!writing)
		return FLOW_ANSWERED;
	writing->fields = decode_wrapper(record_types[call->route->kind], call->body,
					 &(struct decode){.arena = &call->http->arena,
							  .faults = &call->faults,
							  .lenient = call->lenient,
							  .ignored = &call->ignored});
	if (call->faults.count) {
		problem_faults(call, 422);
		return FLOW_ANSWERED;
	}
	writing->ignored = call->ignored.len;
	writing->write.merge = writing_merge;
	writing->write.merge_context = writing;
	return call_write(call, &writing->write.write);
}

enum flow record_remove(struct call *call)
{
	struct writing *writing = writing_of_path(call, RECORD_DELETE);

	return writing ? call_write(call, &writing->write.write) : FLOW_ANSWERED;
}

void record_put_written(const struct call *call, const struct record_write *write, struct buf *out)
{
	struct record *record = write->record;
	bool unmade = call->dry_run && write->action == RECORD_CREATE;

	if (unmade)
		record->id = ID_NONE;
	/* The history has it encoded; of what did not change there is no entry. */
	if (write->write.value.ptr && !unmade)
		json_put_raw(out, write->write.value);
	else
		encode_record(record_types[write->kind], record, out);
}

static void answer_written(struct call *call, const struct record_write *write)
{
	const struct record *record = write->record;

	if (write->action == RECORD_DELETE) {
		call->http->response.status = 204;
		return;
	}
	record_put_written(call, write, &call->http->response.body);
	answer_record(call, record->change, write->action == RECORD_CREATE ? record->id : ID_NONE);
}

/* Nothing is wrong with the request in itself. */
static bool only_in_use(const struct faults *faults)
{
	const struct fault *fault = faults->first;

	while (fault && fault->code == FAULT_IN_USE)
		fault = fault->next;
	return !fault;
}

void record_written(struct call *call)
{
	const struct record_write *write = &((const struct writing *)call->write)->write;

	if (write->write.err)
		problem_err(call, write->write.err);
	else if (write->action != RECORD_CREATE && !write->found)
		problem_err(call, ERR_NOT_FOUND);
	else if (write->other_version)
		problem(call, 412,
			"If-Match: the record's current entity tag is not among those given");
	else if (write->excluded && write->unless.any)
		problem(call, 412, "If-None-Match: the record exists");
	else if (write->excluded)
		problem(call, 412,
			"If-None-Match: the record's current entity tag is among those given");
	else if (call->faults.count)
		problem_faults(call, only_in_use(&call->faults) ? 409 : 422);
	else
		answer_written(call, write);
}
