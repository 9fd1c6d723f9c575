/* SPDX-License-Identifier: MIT */
/* Answers with the account, the staff member and the token of the request. So a client can test its
 * credentials and learn whom they belong to. */
#include "accounts/token_notice.h"
#include "api_private.h"
#include "base/timefmt.h"
#include "base/url.h"
#include "codec/codec.h"
#include "json/write.h"
#include "records/records.h"

static void me_put_switch(struct buf *out, const char *name, bool on)
{
	json_put_key(out, name);
	json_put_raw(out, on ? SLICE("true") : SLICE("false"));
}

static void me_put_scope(void *context, const char *name)
{
	json_put_text(context, slice_of(name));
}

static void me_put_addresses(struct buf *out, struct slice addresses)
{
	const char *rest = addresses.len ? addresses.ptr : NULL;
	struct slice entry;

	json_open_array(out);
	while (url_list_next(&rest, &entry))
		json_put_text(out, entry);
	json_close_array(out);
}

static void me_put_token(struct buf *out, const struct token *token)
{
	char text[TIMESTAMP_LEN];

	json_open_object(out);
	json_put_key(out, "label");
	json_put_text(out, token->label);
	json_put_key(out, "scopes");
	json_open_array(out);
	token_scopes_each(token->scopes, me_put_scope, out);
	json_close_array(out);
	me_put_switch(out, "read_only", token_scopes_only_read(token->scopes));
	me_put_switch(out, "lenient", token->lenient);
	json_put_key(out, "addresses");
	me_put_addresses(out, token->addresses);
	json_put_key(out, "expires_at");
	if (token->expires_at == TIME_NONE) {
		json_put_null(out);
	} else {
		timestamp_write(token->expires_at, text);
		json_put_plain(out, (struct slice){text, sizeof(text)});
	}
	me_put_switch(out, "expires_soon", token_expires_soon(token, clock_now(&system_clock)));
	json_close_object(out);
}

/* A token that may not read staff learns no more than whose user name it was. */
static void me_put_staff(struct buf *out, const struct staff *staff, token_scopes scopes)
{
	if (!token_scopes_lacking(scopes, token_scope(RECORD_STAFF, false))) {
		encode_record(&staff_type, staff, out);
		return;
	}
	json_open_object(out);
	json_put_key(out, "id");
	json_put_int(out, staff->record.id);
	json_put_key(out, "username");
	json_put_text(out, staff->username);
	json_close_object(out);
}

static enum err me_on_record(void *context, const void *record)
{
	struct call *call = context;
	struct buf *out = &call->http->response.body;

	buf_clear(out);
	json_open_object(out);
	json_put_key(out, "account");
	json_open_object(out);
	json_put_key(out, "name");
	json_put_text(out, call->access.account.name);
	json_close_object(out);
	json_put_key(out, "staff");
	me_put_staff(out, record, call->access.token.scopes);
	json_put_key(out, "token");
	me_put_token(out, &call->access.token);
	json_put_key(out, "version");
	json_put_plain(out, SLICE(DOCKET_VERSION));
	json_close_object(out);
	return out->failed ? ERR_NOMEM : OK;
}

static enum flow me_get_done(struct call *call)
{
	const struct record_read *read = call->read;

	if (read->read.err || !read->found) {
		problem_err(call, read->read.err ? read->read.err : ERR_NOT_FOUND);
		return FLOW_ANSWERED;
	}
	http_add_header(call->http, "Content-Type", "application/json");
	call->http->response.status = 200;
	return FLOW_ANSWERED;
}

enum flow me_get(struct call *call)
{
	struct record_read *read = record_read_new(call, call->access.staff_id, me_on_record);

	return read ? call_read(call, &read->read, me_get_done) : FLOW_ANSWERED;
}
