/* SPDX-License-Identifier: MIT */
/* Answers with the alerts of one task: what was sent, what waits, what failed, and why. */
#include "alerts/alerts.h"
#include "api_private.h"
#include "base/timefmt.h"
#include "json/write.h"

static void alert_put_time(struct buf *out, const char *key, int64_t time)
{
	char text[TIMESTAMP_LEN];

	json_put_key(out, key);
	if (time == TIME_NONE) {
		json_put_null(out);
	} else {
		timestamp_write(time, text);
		json_put_plain(out, (struct slice){text, sizeof(text)});
	}
}

static enum err alert_on_row(void *context, const struct alert_row *row)
{
	struct buf *out = context;

	json_open_object(out);
	json_put_key(out, "staff_id");
	json_put_int(out, row->key.staff_id);
	alert_put_time(out, "alert_at", row->key.alert_at);
	json_put_key(out, "state");
	json_put_plain(out, slice_of(alert_states[row->state].name));
	json_put_key(out, "reason");
	if (row->reason == ALERT_NO_REASON)
		json_put_null(out);
	else
		json_put_plain(out, slice_of(alert_reasons[row->reason].name));
	json_put_key(out, "attempts");
	json_put_int(out, row->attempts);
	alert_put_time(out, "next_attempt_at",
		       row->state == ALERT_WAITING ? row->due_at : TIME_NONE);
	alert_put_time(out, "ended_at", row->ended_at);
	json_put_key(out, "answer");
	json_put_text(out, row->answer);
	json_close_object(out);
	return out->failed ? ERR_NOMEM : OK;
}

static void alerts_begin(void *context)
{
	struct buf *out = context;

	buf_clear(out);
	json_open_array(out);
}

static enum flow task_alerts_done(struct call *call)
{
	const struct alerts_read *read = call->read;
	enum err err = read->read.err;

	json_close_array(&call->http->response.body);
	return answer_json(call, err || read->task_found ? err : ERR_NOT_FOUND);
}

enum flow task_alerts(struct call *call)
{
	struct alerts_read *read = arena_alloc(&call->http->arena, sizeof(*read));
	int64_t id;

	if (!read || !call_id(call, &id)) {
		problem_err(call, read ? ERR_NOT_FOUND : ERR_NOMEM);
		return FLOW_ANSWERED;
	}
	alerts_read_init(read, &call->http->arena);
	read->scope = call->scope;
	read->task_id = id;
	read->on_begin = alerts_begin;
	read->on_row = alert_on_row;
	read->row_context = &call->http->response.body;
	call->read = read;
	return call_read(call, &read->read, task_alerts_done);
}
