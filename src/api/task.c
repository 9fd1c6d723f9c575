/* SPDX-License-Identifier: MIT */
/* Requests about tasks. */
#include "api/api_private.h"
#include "codec/codec.h"

enum flow task_create(struct call *call)
{
	struct arena *arena = &call->http->arena;
	struct task *task = arena_alloc(arena, sizeof(*task));
	struct task_create *create = arena_alloc(arena, sizeof(*create));
	struct decode decode = {
		.arena = arena,
		.faults = &call->faults,
		.account = &call->access.account,
		.lenient = call->lenient,
		.ignored = &call->ignored,
	};

	if (!task || !create) {
		problem_err(call, ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	if (!call->access.account.require_case)
		decode.waived = field_bit(&task_type, "casefile_id");
	decode_new(&task_type, call->body, &decode, task);
	task_check_new(task, decode.given, decode.at_fault, &call->faults);
	task_create_init(create);
	create->task = task;
	create->valid = decode.given;
	call->write = create;
	return call_write(call, &create->write);
}

void task_created(struct call *call)
{
	const struct task_create *create = call->write;
	const struct record *record = &create->task->record;

	if (create->write.err)
		problem_err(call, create->write.err);
	else if (call->faults.count)
		problem_faults(call, 422);
	else
		answer_record(call, &task_type, record,
			      arena_printf(&call->http->arena, "/api/v1/tasks/%lld",
					   (long long)record->id));
}
