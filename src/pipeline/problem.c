/* SPDX-License-Identifier: MIT */
/* Problem documents (RFC 9457). `detail` is the first member and begins with what helps most: the
 * vendor's client shows only the first 120 bytes of an answer. */
#include <stdarg.h>

#include "pipeline_private.h"
#include "base/log.h"
#include "base/text.h"
#include "json/write.h"

#define DETAIL_MAX 400  /* bytes of the faults in `detail`, without the number of the others */
#define SHOWN_FIELD 100 /* characters of a name in it */

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

static void problem_write(struct call *call, unsigned status, struct slice detail,
			  const struct faults *faults)
{
	struct http_response *response = &call->http->response;
	struct buf *out = &response->body;

	buf_clear(out);
	json_open_object(out);
	json_put_key(out, "detail");
	json_put_text(out, detail);
	json_put_key(out, "type");
	json_put_plain(out, SLICE("about:blank"));
	json_put_key(out, "title");
	json_put_plain(out, slice_of(http_reason(status)));
	json_put_key(out, "status");
	json_put_int(out, status);
	if (faults) {
		json_put_key(out, "errors");
		json_open_array(out);
		for (const struct fault *fault = faults->first; fault; fault = fault->next)
			problem_write_fault(fault, out);
		json_close_array(out);
	}
	json_close_object(out);
	response->status = status;
	http_add_header(call->http, "Content-Type", "application/problem+json");
}

void problem(struct call *call, unsigned status, const char *format, ...)
{
	char *detail;
	va_list args;

	va_start(args, format);
	detail = arena_vprintf(&call->http->arena, format, args);
	va_end(args);
	problem_write(call, status, slice_of(detail ? detail : http_reason(status)), NULL);
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
 * Neighbours with the same message share it. The first fault always stands there, the others while
 * they fit. */
static void faults_summarise(const struct faults *faults, struct arena *arena, struct buf *out)
{
	const struct fault *order[FAULTS_MAX];
	size_t count = faults_in_order(faults, order), told = 0;
	const char *message = NULL;

	for (; told < count; told++) {
		const char *field = text_shown(arena, slice_of(order[told]->field), SHOWN_FIELD);
		bool same = message && strcmp(message, order[told]->message) == 0;
		size_t more = strlen(field) + strlen(order[told]->message);

		if (same && strcmp(order[told - 1]->field, order[told]->field) == 0)
			continue;

		if (message && out->len + strlen(message) + more > DETAIL_MAX)
			break;
		if (message && !same)
			buf_printf(out, ": %s; ", message);
		buf_printf(out, "%s%s", same ? ", " : "", field);
		message = order[told]->message;
	}
	buf_printf(out, ": %s", message ? message : "");
	if (faults->count > told)
		buf_printf(out, "; and %zu more", faults->count - told);
}

void problem_faults(struct call *call, unsigned status)
{
	struct buf detail = {0};

	if (call->faults.nomem) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	call->reason = fault_code_name(call->faults.first->code);
	faults_summarise(&call->faults, &call->http->arena, &detail);
	problem_write(call, status, buf_slice(&detail), &call->faults);
	buf_release(&detail);
}

void problem_err(struct call *call, enum err err)
{
	static const struct {
		enum err err;
		unsigned status;
		const char *detail;
		bool unstored;           /* tells a write that nothing was stored */
		const char *retry_after; /* seconds */
	} rows[] = {
		{ERR_NOT_FOUND, 404, "no such record", false, NULL},
		{ERR_IN_PROGRESS, 409,
		 "Idempotency-Key: the first request with this key is still in progress", false,
		 "1"},
		{ERR_BUSY, 503, "the server is busy, or another session holds a lock", true, "1"},
		{ERR_TIMEOUT, 503, "this took too long and was given up; try again", false, "5"},
		{ERR_UNREACHABLE, 503, "the database cannot be reached", true, "1"},
		{ERR_COMMIT_UNKNOWN, 503,
		 "the connection to the database was lost while this was being stored; it may or "
		 "may not be stored: check before you send it again",
		 false, "5"},
		{ERR_FULL, 503, "the server's disk is full", true, "60"},
		{ERR_IO, 503, "the server's storage failed", true, "60"},
		{ERR_UNKNOWN_STATE, 503, "the server's storage failed; the server restarts", false,
		 "10"},
		{ERR_STOPPED, 503, "the server is stopping", true, "5"},
		{ERR_NOMEM, 503, "the server is out of memory", true, "5"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].err != err)
			continue;
		if (rows[i].retry_after)
			http_add_header(call->http, "Retry-After", rows[i].retry_after);
		problem(call, rows[i].status, "%s%s", rows[i].detail,
			!rows[i].unstored       ? ""
			: call_only_reads(call) ? "; try again"
						: "; nothing was stored; try again");
		return;
	}
	log_line("request %s: %s", call->http->id, err_text(err));
	problem(call, 500, "internal error; the server's log says more");
}
