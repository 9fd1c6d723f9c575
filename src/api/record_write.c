/* SPDX-License-Identifier: MIT */
/* Creates, changes or deletes a record of any kind. */
#include "api_private.h"
#include "codec/codec.h"
#include "json/read.h"
#include "json/write.h"
#include "records/patch.h"
#include "records/records.h"

struct decode record_decode(struct call *call, enum record_kind kind)
{
	return (struct decode){
		.arena = &call->http->arena,
		.faults = &call->faults,
		.prefix = record_types[kind]->name,
		.account = &call->access.account,
		.lenient = call->lenient,
		.ignored = &call->ignored,
	};
}

static struct record_write *write_new(struct call *call, enum record_action action)
{
	struct arena *arena = &call->http->arena;
	struct record_write *write = arena_alloc(arena, sizeof(*write));
	void *record = arena_alloc(arena, record_types[call->route->kind]->size);

	if (!write || !record) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	record_write_init(write, call->route->kind, action);
	write->record = record;
	call->write = write;
	return write;
}

enum flow record_create(struct call *call)
{
	struct record_write *write = write_new(call, RECORD_CREATE);
	struct decode decode = record_decode(call, call->route->kind);

	if (!write)
		return FLOW_ANSWERED;
	decode_new(record_types[call->route->kind], call->body, &decode, write->record);
	write->given = decode.given;
	write->at_fault = decode.at_fault;
	return call_write(call, &write->write);
}

/* Makes a write of the record that the path names, and reads If-Match and If-None-Match. NULL: the
 * request is answered. */
static struct record_write *write_of_path(struct call *call, enum record_action action)
{
	struct record_write *write = write_new(call, action);

	if (!write)
		return NULL;
	if (!call_id(call, &write->id)) {
		problem_err(call, ERR_NOT_FOUND);
		return NULL;
	}
	return versions_read(call, "If-Match", &write->if_match) &&
			       versions_read(call, "If-None-Match", &write->if_none_match)
		       ? write
		       : NULL;
}

enum flow record_patch(struct call *call)
{
	struct record_write *write = write_of_path(call, RECORD_UPDATE);
	const json_t *fields;

	if (!write)
		return FLOW_ANSWERED;
	write->patch = arena_alloc(&call->http->arena, sizeof(*write->patch));
	if (!write->patch) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	write->patch->decode = record_decode(call, write->kind);
	fields = decode_wrapper(record_types[write->kind], call->body, &write->patch->decode);
	write->patch->ignored = call->ignored.len;
	if (!fields) {
		problem_faults(call, PROBLEM_INVALID_FIELDS);
		return FLOW_ANSWERED;
	}
	call->faults.nomem |= json_to_text(fields, &call->http->arena, &write->patch->text) != OK;
	return call_write(call, &write->write);
}

enum flow record_remove(struct call *call)
{
	struct record_write *write = write_of_path(call, RECORD_DELETE);

	return write ? call_write(call, &write->write) : FLOW_ANSWERED;
}

void record_put_written(const struct call *call, const struct record_write *write, struct buf *out)
{
	struct record *record = write->record;
	bool has_no_id = call->dry_run && write->action == RECORD_CREATE;

	if (has_no_id)
		record->id = ID_NONE;
	/* The history has the record encoded already. If nothing changed, there is no entry. */
	if (write->write.value.ptr && !has_no_id)
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

/* Whether every fault says that a record is in use. Then the request itself is valid. */
static bool only_in_use(const struct faults *faults)
{
	const struct fault *fault = faults->first;

	while (fault && fault->code == FAULT_IN_USE)
		fault = fault->next;
	return !fault;
}

void record_written(struct call *call)
{
	const struct record_write *write = call->write;

	if (write->write.err)
		problem_err(call, write->write.err);
	else if (write->action != RECORD_CREATE && !write->found)
		problem_err(call, ERR_NOT_FOUND);
	else if (write->match_failed)
		problem(call, PROBLEM_PRECONDITION,
			"If-Match: the record's current entity tag is not among those given");
	else if (write->none_match_failed && write->if_none_match.any)
		problem(call, PROBLEM_PRECONDITION, "If-None-Match: the record exists");
	else if (write->none_match_failed)
		problem(call, PROBLEM_PRECONDITION,
			"If-None-Match: the record's current entity tag is among those given");
	else if (call->faults.count)
		problem_faults(call, only_in_use(&call->faults) ? PROBLEM_IN_USE
								: PROBLEM_INVALID_FIELDS);
	else
		answer_written(call, write);
}
