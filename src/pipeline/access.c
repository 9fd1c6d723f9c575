/* SPDX-License-Identifier: MIT */
/* Access: which account a request is for, and whether the client may use it. Only this file makes a
 * scope for a request, and without one no record can be read or written. */
#include <ctype.h>

#include "pipeline_private.h"
#include "accounts/access_cache.h"
#include "base/clock.h"

/* Host names are compared without case (RFC 9110, section 4.2.3). */
struct slice access_account(struct call *call)
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

static void access_refuse(struct call *call, enum auth_result result)
{
	if (result == AUTH_UNKNOWN) {
		http_add_header(call->http, "WWW-Authenticate",
				"Basic realm=\"docket\", charset=\"UTF-8\"");
		problem(call, PROBLEM_CREDENTIALS,
			"the user name must be {username}/token and the password an API "
			"token, of an active staff member with full access");
	} else if (result == AUTH_TOO_MANY) {
		answer_add_retry_after(call, call->auth.wait);
		problem(call, PROBLEM_GUESSES,
			"too many requests with wrong credentials came from this address; try "
			"again in %u s",
			call->auth.wait);
	} else {
		problem(call, PROBLEM_NO_FULL_ACCESS,
			"only staff members with full access may use the API");
	}
}

enum flow access_look_up(struct call *call, enum flow (*next)(struct call *call))
{
	enum err err;

	call->auth = (struct auth_request){
		.account = call->account,
		.source = call->source,
		.source_known = call->source_known,
		.guesses = call->app->guesses,
		.now_ms = monotonic_ms(),
	};
	/* If there are two headers Authorization, the list of both is refused. */
	err = http_header_list(call->http, "Authorization", &call->auth.header);
	if (err)
		problem_err(call, err);
	else if (!auth_begin(&call->auth, &call->http->arena))
		access_refuse(call, AUTH_TOO_MANY);
	else if (access_cache_find(call->app->access_cache, &call->auth.lookup))
		return next(call);
	else
		return call_read(call, &call->auth.lookup.read, next);
	return FLOW_ANSWERED;
}

/* Counts the request for the limits on rates. False: one refuses it, and the request is answered.
 */
static bool access_count(struct call *call)
{
	const struct access *access = &call->auth.lookup.access;
	struct rate_use *use = &call->rate;

	if (!call->app->rates || !rates_take(call->app->rates, access->token.hash,
					     access->account.id, monotonic_us(), use))
		return true;
	answer_add_retry_after(call, use->wait);
	call->reason = use->full == RATE_TOKEN ? "rate of the token" : "rate of the account";
	problem(call, PROBLEM_RATE, "this %s may send %u requests in a minute; try again in %u s",
		use->full == RATE_TOKEN ? "API token" : "account", use->of[use->full].limit,
		use->wait);
	return false;
}

bool access_decide(struct call *call)
{
	const struct access_read *lookup = &call->auth.lookup;
	enum auth_result result;

	if (lookup->read.err) {
		auth_drop(&call->auth);
		problem_err(call, lookup->read.err);
		return false;
	}
	result = auth_end(&call->auth, call->app->store);
	if (result == AUTH_OK || result == AUTH_FORBIDDEN) {
		call->access = lookup->access;
		access_cache_keep(call->app->access_cache, lookup);
	}
	/* A refusal counts too: otherwise a right token with a wrong user has no limit. */
	if (auth_token_works(&call->auth) && !access_count(call))
		return false;
	if (result != AUTH_OK) {
		if (result != AUTH_FORBIDDEN)
			call->rate =
				(struct rate_use){0}; /* its headers say that the token is right */
		access_refuse(call, result);
		return false;
	}
	call->lenient = call->access.token.lenient;
	call->scope = (struct scope){call->access.account.id, call->access.staff_id};
	charge_init(&call->charge, call->app->budget, call->access.account.id, &call->source);
	return true;
}

bool access_allows(struct call *call, token_scopes need)
{
	token_scopes have = call->access.token.scopes, lacking = token_scopes_lacking(have, need);
	bool read_only = token_scopes_only_read(have) && !call_only_reads(call);
	struct buf names = {0};

	if (!lacking)
		return true;
	token_scopes_write(lacking, ", ", &names);
	call->reason = read_only ? "read-only token" : "scope of the token";
	problem(call, read_only ? PROBLEM_READ_ONLY : PROBLEM_SCOPE,
		"this API token %s the scope%s %.*s",
		read_only ? "is read-only: it lacks" : "lacks", lacking & (lacking - 1) ? "s" : "",
		(int)names.len, names.ptr ? names.ptr : "");
	buf_release(&names);
	return false;
}
