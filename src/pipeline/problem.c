/* SPDX-License-Identifier: MIT */
/* Problem documents (RFC 9457). `detail` is the first member and begins with what helps most: the
 * vendor's client shows only the first 120 bytes of an answer. */
#include <stdarg.h>

#include "pipeline_private.h"
#include "base/log.h"
#include "base/text.h"
#include "json/write.h"

#define PROBLEM_TYPE "%s/docs/errors/%s"
#define DETAIL_MAX 400  /* bytes of the faults in `detail`; "and 3 more" does not count */
#define SHOWN_FIELD 100 /* characters of the name of a field in `detail` */

static void problem_write_fault(const struct fault *fault, struct buf *out)
{
	json_open_object(out);
	json_put_key(out, "field");
	json_put_text(out, slice_of(fault->field));
	json_put_key(out, "code");
	json_put_plain(out, slice_of(fault_code_name(fault->code)));
	json_put_key(out, "message");
	json_put_text(out, slice_of(fault->message));
	json_close_object(out);
}

/* `type` links to the page about the problem. */
static void problem_put(struct buf *out, const struct problem_row *row, struct slice type,
			struct slice detail, const struct faults *faults)
{
	size_t omitted = faults ? faults->count : 0;

	json_open_object(out);
	json_put_key(out, "detail");
	json_put_text(out, detail);
	json_put_key(out, "type");
	json_put_text(out, type);
	json_put_key(out, "title");
	json_put_plain(out, slice_of(http_reason(row->status)));
	json_put_key(out, "status");
	json_put_int(out, row->status);
	json_put_key(out, "code");
	json_put_plain(out, slice_of(row->code));
	if (faults) {
		json_put_key(out, "errors");
		json_open_array(out);
		for (const struct fault *fault = faults->first; fault; fault = fault->next) {
			problem_write_fault(fault, out);
			omitted--;
		}
		json_close_array(out);
		if (omitted) {
			json_put_key(out, "errors_omitted");
			json_put_int(out, (int64_t)omitted);
		}
	}
	json_close_object(out);
}

static void problem_write(struct call *call, enum problem_code code, struct slice detail,
			  const struct faults *faults)
{
	struct http_response *response = &call->http->response;
	const struct problem_row *row = &problem_rows[code];
	const char *base = link_base(call);
	char *type = base ? arena_printf(&call->http->arena, PROBLEM_TYPE, base, row->code) : NULL;

	buf_clear(&response->body);
	problem_put(&response->body, row, type ? slice_of(type) : SLICE("about:blank"), detail,
		    faults);
	response->status = row->status;
	call->problem = row;
	http_add_header(call->http, "Content-Type", "application/problem+json");
}

void problem_example(enum problem_code code, struct arena *arena, struct buf *out)
{
	const struct problem_row *row = &problem_rows[code];
	char *type = arena_printf(arena, PROBLEM_TYPE, "", row->code);
	struct faults faults;

	faults_init(&faults, arena);
	if (row->has_faults) {
		const char *colon = strstr(row->detail, ": ");
		struct slice field = {row->detail, (size_t)(colon - row->detail)};
		const char *name = arena_copy(arena, field);

		faults_add(&faults, name ? name : "", row->fault, "%s", colon + 2);
	}
	out->failed |= !type || faults.nomem;
	problem_put(out, row, slice_of(type ? type : ""), slice_of(row->detail),
		    row->has_faults ? &faults : NULL);
}

void problem(struct call *call, enum problem_code code, const char *format, ...)
{
	char *detail;
	va_list args;

	va_start(args, format);
	detail = arena_vprintf(&call->http->arena, format, args);
	va_end(args);
	problem_write(call, code,
		      slice_of(detail ? detail : http_reason(problem_rows[code].status)), NULL);
}

/* Sorts faults by how much they help the client, and keeps the order of equal ones. Returns how
 * many there are. */
static size_t faults_in_order(const struct faults *faults, const struct fault *order[FAULTS_MAX])
{
	size_t count = 0;

	for (const struct fault *fault = faults->first; fault; fault = fault->next) {
		size_t at = count++;

		for (; at && fault_code_rank(order[at - 1]->code) > fault_code_rank(fault->code);
		     at--)
			order[at] = order[at - 1];
		order[at] = fault;
	}
	return count;
}

/* Writes "task.casefile_id, task.title: is required; task.status: must be …; and 3 more".
 * Neighbours with the same message share it. The first fault is always written, the others while
 * they fit. */
static void faults_summarise(const struct faults *faults, struct arena *arena, struct buf *out)
{
	const struct fault *order[FAULTS_MAX];
	size_t count = faults_in_order(faults, order), written = 0;
	const char *message = NULL;

	for (; written < count; written++) {
		const char *field = text_shown(arena, slice_of(order[written]->field), SHOWN_FIELD);
		bool same = message && strcmp(message, order[written]->message) == 0;
		size_t more = strlen(field) + strlen(order[written]->message);

		if (same && strcmp(order[written - 1]->field, order[written]->field) == 0)
			continue;

		if (message && out->len + strlen(message) + more > DETAIL_MAX)
			break;
		if (message && !same)
			buf_printf(out, ": %s; ", message);
		buf_printf(out, "%s%s", same ? ", " : "", field);
		message = order[written]->message;
	}
	buf_printf(out, ": %s", message ? message : "");
	if (faults->count > written)
		buf_printf(out, "; and %zu more", faults->count - written);
}

void problem_faults(struct call *call, enum problem_code code)
{
	struct buf detail = {0};

	if (call->faults.nomem) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	call->reason = fault_code_name(call->faults.first->code);
	faults_summarise(&call->faults, &call->http->arena, &detail);
	problem_write(call, code, buf_slice(&detail), &call->faults);
	buf_release(&detail);
}

const struct err_answer *err_answer(enum err err)
{
	static const struct {
		enum err err;
		struct err_answer answer;
	} rows[] = {
		{ERR_NOT_FOUND, {PROBLEM_NO_RECORD, "no such record", false, 0}},
		{ERR_IN_PROGRESS,
		 {PROBLEM_IN_PROGRESS,
		  "Idempotency-Key: the first request with this key is still in progress", false,
		  1}},
		{ERR_BUSY,
		 {PROBLEM_BUSY, "the server is busy, or another session holds a lock", true, 1}},
		{ERR_TIMEOUT, {PROBLEM_TIMEOUT, "this took too long and was given up", true, 5}},
		{ERR_UNREACHABLE, {PROBLEM_UNREACHABLE, "the database cannot be reached", true, 1}},
		{ERR_COMMIT_UNKNOWN,
		 {PROBLEM_OUTCOME,
		  "the connection to the database was lost while this was being stored; it may or "
		  "may not be stored: check before you send it again",
		  false, 5}},
		{ERR_FULL, {PROBLEM_DISK_FULL, "the server's disk is full", true, 60}},
		{ERR_IO, {PROBLEM_STORAGE, "the server's storage failed", true, 60}},
		{ERR_UNKNOWN_STATE,
		 {PROBLEM_OUTCOME, "the server's storage failed; the server restarts", false, 10}},
		{ERR_STOPPED, {PROBLEM_STOPPING, "the server is stopping", true, 5}},
		{ERR_NOMEM, {PROBLEM_MEMORY, "the server is out of memory", true, 5}},
	};
	static const struct err_answer mistake = {
		PROBLEM_INTERNAL, "internal error; the server's log says more", false, 0};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].err == err)
			return &rows[i].answer;
	return &mistake;
}

/* Returns the seconds for Retry-After: `seconds`, or the time that the account's queue needs now if
 * that is longer, but at most RETRY_MAX. */
static unsigned retry_after(const struct call *call, enum err err, unsigned seconds)
{
	int64_t queue;

	if (err != ERR_BUSY && err != ERR_TIMEOUT)
		return seconds;
	queue = store_delay(call->app->store, call->scope.account_id) / 1000 + 1;
	return queue <= seconds ? seconds : queue < RETRY_MAX ? (unsigned)queue : RETRY_MAX;
}

void problem_err(struct call *call, enum err err)
{
	const struct err_answer *answer = err_answer(err);

	if (answer->code == PROBLEM_INTERNAL)
		log_line("request %s: %s", call->http->id, err_text(err));
	if (answer->retry_after)
		answer_add_retry_after(call, retry_after(call, err, answer->retry_after));
	problem(call, answer->code, "%s%s", answer->detail,
		!answer->unstored       ? ""
		: call_only_reads(call) ? "; try again"
					: "; nothing was stored; try again");
}
