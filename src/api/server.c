/* SPDX-License-Identifier: MIT */
/* The pipeline, on one page: every request goes through these steps in this order. */
#include <ctype.h>

#include "api_private.h"
#include "base/clock.h"
#include "codec/codec.h"
#include "json/read.h"

#define KEY_MAX 255 /* bytes of an Idempotency-Key */

static struct call *new_call(struct app *app, struct http_request *http)
{
	struct call *call;

	trace_begin(http);
	call = arena_alloc(&http->arena, sizeof(*call));
	if (!call) {
		http->response.status = 503;
		return NULL;
	}
	call->app = app;
	call->http = http;
	call->source = trace_source(app, http);
	faults_init(&call->faults, &http->arena);
	http->app_data = call;
	return call;
}

static void add_accept_patch(struct call *call)
{
	http_add_header(call->http, "Accept-Patch",
			"application/merge-patch+json, application/json");
}

/* What the path takes (RFC 9110, section 10.2.1; RFC 5789, section 3.1). */
static void add_allow(struct call *call)
{
	const struct match *match = &call->match;

	http_add_header(call->http, "Allow", match->allow);
	if (match->path && strstr(match->allow, "PATCH"))
		add_accept_patch(call);
}

static void problem_no_path(struct call *call)
{
	const char *meant = route_meant(call);

	if (meant)
		problem(call, 404, "no such path; it has two slashes in a row: ask for %s", meant);
	else
		problem(call, 404, "no such path");
}

/* OPTIONS needs no access: a browser asks it before it knows any. */
static void answer_options(struct call *call)
{
	if (!call->match.path_known && !cors_is_preflight(call)) {
		problem_no_path(call);
		return;
	}
	if (call->match.path_known)
		add_allow(call);
	call->http->response.status = 204;
}

/* The name of the account that is asked for, in the arena; "" where it can be none. Host names are
 * compared without case (RFC 9110, section 4.2.3). */
static struct slice account_of(struct call *call)
{
	const char *domain = call->app->base_domain, *rest;
	const char *host = call->http->host;
	char *name;
	size_t len;

	if (!domain)
		return call->app->account;
	len = strcspn(host, ".");
	if (len == 0 || len > ACCOUNT_NAME_MAX || host[len] != '.')
		return SLICE("");
	rest = host + len + 1;
	if (strncasecmp(rest, domain, strlen(domain)) != 0)
		return SLICE("");
	rest += strlen(domain);
	rest += *rest == '.';
	if (*rest && *rest != ':')
		return SLICE("");
	name = arena_alloc(&call->http->arena, len);
	if (!name)
		return SLICE("");
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)host[i]);
	return (struct slice){name, len};
}

static void retry_after(struct call *call, unsigned seconds)
{
	char *text = arena_printf(&call->http->arena, "%u", seconds);

	if (text)
		http_add_header(call->http, "Retry-After", text);
}

/* Goes on with a request, wherever it is: with its answer, where it has one. */
void call_settle(struct call *call, enum flow flow)
{
	if (flow == FLOW_ANSWERED && call->suspended)
		http_resume(call->http);
}

void call_suspend(struct call *call)
{
	if (!call->suspended)
		http_suspend(call->http);
	call->suspended = true;
}

static void read_done(void *context)
{
	struct call *call = context;

	call_settle(call, call->next(call));
}

enum flow call_read(struct call *call, struct store_read *read, enum flow (*next)(struct call *))
{
	struct store *store = call->app->store;

	call->next = next;
	read->done = read_done;
	read->context = call;
	if (store_waits(store))
		call_suspend(call);
	return store_start(store, read) ? next(call) : FLOW_WAITS;
}

static bool put_etag(struct call *call, int64_t change)
{
	char *etag = arena_printf(&call->http->arena, "\"" TAG_FORM "%lld\"", (long long)change);

	if (!etag)
		return false;
	http_add_header(call->http, "Content-Type", "application/json");
	http_add_header(call->http, "ETag", etag);
	/* Asks proxies not to compress, which changes the tag (RFC 9111, section 5.2.2.6). */
	http_add_header(call->http, "Cache-Control", "no-transform");
	return true;
}

void answer_record(struct call *call, const struct record_type *type, const struct record *record,
		   const char *location)
{
	struct http_response *response = &call->http->response;

	encode_record(type, record, &response->body);
	if (call->dry_run)
		http_add_header(call->http, "Content-Type", "application/json");
	if (response->body.failed || (!call->dry_run && !put_etag(call, record->change))) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	if (location)
		http_add_header(call->http, "Location", location);
	response->status = location ? 201 : 200;
}

/* What the first create with its key was answered; a dry run without the headers of a new record.
 */
static void answer_again(struct call *call)
{
	const struct idempotency *key = call->stored->key;
	struct http_response *response = &call->http->response;
	const char *location = link_record(call, key->record_id);

	if (key->values) {
		call->route->finish(call);
		return;
	}
	buf_add_slice(&response->body, key->value);
	if (call->dry_run && !response->body.failed) {
		http_add_header(call->http, "Content-Type", "application/json");
		response->status = 200;
		return;
	}
	if (!location || response->body.failed || !put_etag(call, key->change)) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	http_add_header(call->http, "Location", location);
	response->status = 201;
}

/* When a write is done, or judged. */
static void answer_write(struct call *call)
{
	const struct store_write *write = call->stored;

	if (!write->err && write->key && write->key->again)
		answer_again(call);
	else
		call->route->finish(call);
}

static enum flow judged(struct call *call)
{
	struct write_judge *judge = call->judge;
	enum err err = judge->read.err ? judge->read.err : write_judged(judge);

	if (err)
		problem_err(call, err);
	else
		answer_write(call);
	return FLOW_ANSWERED;
}

static void written(void *context)
{
	http_resume(context);
}

/* The key of a create, as it is sent: 1 to 255 characters that can be seen. False where it is at
 * fault, and the request answered. */
static bool read_key(struct call *call, struct store_write *write)
{
	struct slice text;
	struct digest digest;

	if (strcmp(call->http->method, "POST") != 0 ||
	    !http_header(call->http, "Idempotency-Key").ptr)
		return true;
	write->key = arena_alloc(&call->http->arena, sizeof(*write->key));
	if (!write->key || http_header_list(call->http, "Idempotency-Key", &text)) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			text.len = 0;
	if (text.len == 0 || text.len > KEY_MAX) {
		problem(call, 400,
			"the header Idempotency-Key must have 1 to %d visible ASCII characters",
			KEY_MAX);
		return false;
	}
	write->key->route = call->route->path;
	write->key->key = text;
	digest_init(&digest);
	digest_add(&digest, call->http->body);
	digest_final(&digest, write->key->body_hash);
	return true;
}

enum flow call_write(struct call *call, struct store_write *write)
{
	enum err err;

	if (!read_key(call, write))
		return FLOW_ANSWERED;
	call->stored = write;
	write->scope = call->scope;
	write->arena = &call->http->arena;
	write->faults = &call->faults;
	write->request_id = slice_of(call->http->id);
	write->body_bytes = call->http->body.len;
	write->done = written;
	write->context = call->http;
	if (call->faults.count || call->dry_run) {
		call->judge = arena_alloc(write->arena, sizeof(*call->judge));
		if (!call->judge) {
			problem_err(call, ERR_NOMEM);
			return FLOW_ANSWERED;
		}
		err = write_judge_init(call->judge, call->app->store, write);
		if (err) {
			problem_err(call, err);
			return FLOW_ANSWERED;
		}
		call->judge->account.time_zone = call->access.account.time_zone;
		return call_read(call, &call->judge->read, judged);
	}
	call_suspend(call);
	/* Once it is queued it is the writer's, its outcome as well. */
	err = store_submit(call->app->store, write);
	if (!err)
		return FLOW_WAITS;
	write->err = err;
	return FLOW_ANSWERED;
}

bool call_only_reads(const struct call *call)
{
	const char *method = call->http->method;

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool check_route(struct call *call)
{
	const struct match *match = &call->match;

	if (match->route && call->access.token.read_only && !call_only_reads(call)) {
		call->reason = "read-only token";
		problem(call, 403, "this API token is read-only");
		return false;
	}
	if (match->route) {
		call->route = match->route;
		call->id_text = match->id_text;
		return true;
	}
	if (match->path_known) {
		add_allow(call);
		problem(call, 405, "this path does not allow %s; it allows %s", call->http->method,
			match->allow);
	} else {
		problem_no_path(call);
	}
	return false;
}

/* "application/json" and "application/….+json", with no charset but UTF-8. */
static bool is_json(struct slice type)
{
	const char *semicolon = type.len ? memchr(type.ptr, ';', type.len) : NULL;
	struct slice essence = {type.ptr, semicolon ? (size_t)(semicolon - type.ptr) : type.len};
	const char *charset = strcasestr(type.ptr, "charset=");

	while (essence.len && strchr(" \t", essence.ptr[essence.len - 1]))
		essence.len--;
	if (charset) {
		charset += strlen("charset=");
		charset += *charset == '"';
		if (strncasecmp(charset, "utf-8", 5) != 0 ||
		    (charset[5] && !strchr("\" ;", charset[5])))
			return false;
	}
	/* A JSON Patch (RFC 6902) is no object with fields. */
	if (slice_is_nocase(essence, "application/json-patch+json"))
		return false;
	return slice_is_nocase(essence, "application/json") ||
	       (essence.len > 17 && strncasecmp(essence.ptr, "application/", 12) == 0 &&
		strncasecmp(essence.ptr + essence.len - 5, "+json", 5) == 0);
}

static bool check_body_headers(struct call *call)
{
	struct slice type = http_header(call->http, "Content-Type");
	struct slice coding = http_header(call->http, "Content-Encoding");
	bool patch = strcmp(call->http->method, "PATCH") == 0;

	if (call->route->body == BODY_NONE)
		return true;
	if (type.ptr && type.len && !is_json(type)) {
		if (patch)
			add_accept_patch(call); /* RFC 5789, section 2.2 */
		problem(call, 415,
			"the header Content-Type must be application/json%s, with no charset but "
			"utf-8",
			patch ? " or application/merge-patch+json" : "");
		return false;
	}
	if (coding.ptr && coding.len && !slice_is_nocase(coding, "identity")) {
		problem(call, 415,
			"the body must not be compressed: leave the header Content-Encoding out");
		return false;
	}
	return true;
}

static struct slice trim(const char *text, size_t len)
{
	while (len && strchr(" \t", *text)) {
		text++;
		len--;
	}
	while (len && strchr(" \t", text[len - 1]))
		len--;
	return (struct slice){text, len};
}

/* `Prefer: handling=lenient` (RFC 7240, sections 2 and 4.4): the first `handling` counts. */
static void read_preferences(struct call *call)
{
	struct slice prefer;

	if (http_header_list(call->http, "Prefer", &prefer)) {
		problem_err(call, ERR_NOMEM);
		return;
	}
	for (const char *at = prefer.ptr; *at; at += strcspn(at, ","), at += *at == ',') {
		size_t len = strcspn(at, ",;"), name_len = strcspn(at, "=,;");
		struct slice value;

		if (name_len == len || !slice_is_nocase(trim(at, name_len), "handling"))
			continue;
		value = trim(at + name_len + 1, len - name_len - 1);
		call->lenient =
			slice_is_nocase(value, "lenient") || slice_is_nocase(value, "\"lenient\"");
		call->preferred = call->lenient;
		break;
	}
}

static bool parse_body(struct call *call)
{
	const char *message;

	if (call->http->body_too_large) {
		problem(call, 413, "the body is larger than %d bytes", API_BODY_LIMIT);
		return false;
	}
	if (call->route->body == BODY_NONE)
		return true;
	call->body = json_read(call->http->body, &call->http->arena, &message);
	if (!call->body)
		problem(call, 400, "the body %s", message);
	return call->body != NULL;
}

static enum flow handle(struct call *call)
{
	return parse_body(call) && params_check(call) ? call->route->handle(call) : FLOW_ANSWERED;
}

/* A route that needs no access; it takes no parameters. */
static enum flow handle_open(struct call *call)
{
	return check_route(call) ? call->route->handle(call) : FLOW_ANSWERED;
}

static void refuse(struct call *call, enum auth_result result)
{
	if (result == AUTH_UNKNOWN) {
		http_add_header(call->http, "WWW-Authenticate",
				"Basic realm=\"docket\", charset=\"UTF-8\"");
		problem(call, 401,
			"the user name must be {username}/token and the password an API "
			"token, of an active staff member with full access");
	} else if (result == AUTH_TOO_MANY) {
		retry_after(call, call->auth.wait);
		problem(call, 429,
			"too many requests with wrong credentials came from this address; try "
			"again in %u s",
			call->auth.wait);
	} else {
		problem(call, 403, "only staff members with full access may use the API");
	}
}

static enum flow access_known(struct call *call)
{
	const struct access_read *lookup = &call->auth.lookup;
	enum auth_result result;

	if (lookup->read.err) {
		auth_drop(&call->auth);
		problem_err(call, lookup->read.err);
		return FLOW_ANSWERED;
	}
	result = auth_end(&call->auth, call->app->store);
	if (result == AUTH_OK || result == AUTH_FORBIDDEN)
		call->access = lookup->access;
	if (result != AUTH_OK) {
		refuse(call, result);
		return FLOW_ANSWERED;
	}
	call->lenient = call->access.token.lenient;
	call->scope = (struct scope){call->access.account.id, call->access.staff_id};
	if (!check_route(call) || !check_body_headers(call))
		return FLOW_ANSWERED;
	read_preferences(call);
	return call->whole ? handle(call) : FLOW_ANSWERED;
}

static enum flow ask_access(struct call *call)
{
	enum err err;

	call->auth = (struct auth_request){
		.account = call->account,
		.source = call->source,
		.guesses = call->app->guesses,
		.now_ms = monotonic_ms(),
	};
	/* Two of them joined are readable as neither. */
	err = http_header_list(call->http, "Authorization", &call->auth.header);
	if (err)
		problem_err(call, err);
	else if (!auth_begin(&call->auth, &call->http->arena))
		refuse(call, AUTH_TOO_MANY);
	else
		return call_read(call, &call->auth.lookup.read, access_known);
	return FLOW_ANSWERED;
}

/* Whether the body is so large, or so long in coming, that access is asked for before it is read.
 */
static bool comes_late(struct http_request *http)
{
	return http->content_length > API_BODY_SMALL || http->expects_continue || http->in_chunks;
}

static void on_head(void *data, struct http_request *http)
{
	struct call *call = new_call(data, http);

	if (!call)
		return;
	if (route_find(http->path, http->method, &http->arena, &call->match))
		problem_err(call, ERR_NOMEM);
	else if (strcmp(http->method, "OPTIONS") == 0)
		answer_options(call);
	if (http->response.status)
		return;
	if (!call->match.open)
		call->account = account_of(call);
	if (http->content_length > API_BODY_LIMIT)
		problem(call, 413, "the body has %llu bytes; at most %d are allowed",
			(unsigned long long)http->content_length, API_BODY_LIMIT);
	else if (comes_late(http))
		call_settle(call, call->match.open ? handle_open(call) : ask_access(call));
}

static void on_body(void *data, struct http_request *http)
{
	struct call *call = http->app_data;
	enum flow flow;

	(void)data;
	call->whole = true;
	/* From now on it is suspended anew. */
	call->suspended = false;
	if (call->match.open)
		flow = handle_open(call);
	else
		flow = call->route ? handle(call) : ask_access(call);
	if (flow == FLOW_ANSWERED && !call->suspended)
		name_ignored(call);
	else
		call_settle(call, flow);
}

static void on_resume(void *data, struct http_request *http)
{
	struct call *call = http->app_data;

	(void)data;
	if (!http->response.status)
		answer_write(call);
	name_ignored(call);
}

static void on_end(void *data, struct http_request *http)
{
	struct call *call = http->app_data;

	trace_end(data, http, call);
	if (!call)
		return;
	json_decref(call->body);
	buf_release(&call->ignored);
}

static void on_answer(void *data, struct http_request *http)
{
	cors_answer(data, http);
}

static void on_refused(void *data, struct http_request *http, unsigned status, const char *why)
{
	struct call *call = http->app_data ? http->app_data : new_call(data, http);

	if (call)
		problem(call, status, "%s%s", status == 400 ? "the request is malformed: " : "",
			why);
}

const struct http_app api_app = {
	.on_head = on_head,
	.on_body = on_body,
	.on_resume = on_resume,
	.on_answer = on_answer,
	.on_end = on_end,
	.on_refused = on_refused,
	.body_limit = API_BODY_LIMIT,
};
