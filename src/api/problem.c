/* SPDX-License-Identifier: MIT */
/* Errors as RFC 9457 has them. `detail` comes first and begins with the names of the fields: the
 * vendor's client shows only the first 120 bytes of an answer. */
#include <stdarg.h>

#include "api/api_private.h"
#include "base/log.h"
#include "json/write.h"

static void write_error(const struct fault *fault, struct buf *out)
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

static void answer(struct call *call, unsigned status, struct slice detail,
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
			write_error(fault, out);
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
	answer(call, status, slice_of(detail ? detail : http_reason(status)), NULL);
}

/* "task.due_on, task.title: is required", or each message in the order of the names where they
 * differ. What is wrong with one field follows each other, and its name stands once. */
static void summarise(const struct faults *faults, struct buf *out)
{
	const struct fault *first = faults->first, *before = NULL;
	bool same = true;

	for (const struct fault *fault = first; fault; before = fault, fault = fault->next) {
		if (!before || strcmp(fault->field, before->field) != 0)
			buf_printf(out, "%s%s", before ? ", " : "", fault->field);
		same = same && strcmp(fault->message, first->message) == 0;
	}
	if (faults->count > FAULTS_MAX)
		buf_printf(out, " and %zu more", faults->count - FAULTS_MAX);
	for (const struct fault *fault = first; fault; fault = same ? NULL : fault->next)
		buf_printf(out, "%s%s", fault == first ? ": " : "; ", fault->message);
}

void problem_faults(struct call *call, unsigned status)
{
	struct buf detail = {0};

	if (call->faults.nomem) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	call->reason = fault_code_name(call->faults.first->code);
	summarise(&call->faults, &detail);
	answer(call, status, buf_slice(&detail), &call->faults);
	buf_release(&detail);
}

void problem_err(struct call *call, enum err err)
{
	static const struct {
		enum err err;
		unsigned status;
		const char *detail;
		const char *retry_after; /* seconds */
	} rows[] = {
		{ERR_NOT_FOUND, 404, "there is no such record", NULL},
		{ERR_UNDER_WAY, 409,
		 "Idempotency-Key: the first request with this key is still under way", "1"},
		{ERR_BUSY, 503,
		 "too much is waiting, or somebody else has a lock; nothing was stored; try again",
		 "1"},
		{ERR_TIMEOUT, 503, "this took too long and was given up; try again", "5"},
		{ERR_AWAY, 503, "the database cannot be reached; nothing was stored; try again",
		 "1"},
		{ERR_UNSURE, 503,
		 "the database was lost while this was being stored, and it is not known whether it "
		 "was: look before you send it again",
		 "5"},
		{ERR_FULL, 503, "the disk of the server is full; nothing was stored", "60"},
		{ERR_IO, 503, "the storage of the server failed; nothing was stored", "60"},
		{ERR_UNKNOWN_STATE, 503, "the storage of the server failed; it restarts", "10"},
		{ERR_STOPPED, 503, "the server is stopping; nothing was stored", "5"},
		{ERR_NOMEM, 503, "the server is out of memory; nothing was stored", "5"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err != err)
			continue;
		if (rows[i].retry_after)
			http_add_header(call->http, "Retry-After", rows[i].retry_after);
		problem(call, rows[i].status, "%s", rows[i].detail);
		return;
	}
	log_line("request %s: %s", call->http->id, err_text(err));
	problem(call, 500, "the server made a mistake; its log has more");
}
