/* SPDX-License-Identifier: MIT */
/* What the files of the pipeline share, and handlers do not need.
 *
 *	server.c      the steps of a request, and reads
 *	  → phase.c   which phase may follow which
 *	  → access.c  who asks, for which account
 *	  → body.c    the body and its headers
 *	  → prefer.c  the header Prefer
 *	  → params.c  the parameters of the query
 *	write.c       writes: their keys, previews and answers
 *	answer.c      answers that several steps give */
#ifndef PIPELINE_PIPELINE_PRIVATE_H
#define PIPELINE_PIPELINE_PRIVATE_H

#include "pipeline/pipeline.h"

/* phase.c: goes from the phase of the request to the next one. A step that is not in the table of
 * phases fails an assertion, as does PHASE_ANSWERED without an answer. */
void request_enter(struct call *call, enum request_phase next);

/* access.c */
/* The name of the account that the request is for, in the arena; "" where it can be for none. */
struct slice access_account(struct call *call);
/* Looks up the account, the staff member and the token, and goes on with `next`; or answers. */
enum flow access_look_up(struct call *call, enum flow (*next)(struct call *call));
/* Decides from what was looked up. False: access is refused, and the request answered. */
bool access_decide(struct call *call);

/* body.c: false where a header, or the body, is refused and the request answered. */
bool body_check_headers(struct call *call);
bool body_parse(struct call *call);

/* prefer.c: reads the header Prefer into the call. False: out of memory, and the request answered.
 */
bool prefer_read(struct call *call);

/* write.c: answers when the outcome of the write is known. */
void write_answer(struct call *call);

/* answer.c */
/* Adds Accept-Patch: the media types that PATCH takes. */
void answer_add_accept_patch(struct call *call);
/* Adds Allow: the methods that the path takes. */
void answer_add_allow(struct call *call);
/* Adds the headers of a record in the version `change`. False: out of memory. */
bool answer_add_etag(struct call *call, int64_t change);
/* 404: no route has the path. */
void answer_no_path(struct call *call);
/* Answers OPTIONS. It needs no access: a browser sends it before it knows any. */
void answer_options(struct call *call);

/* router.c */
/* ERR_NOMEM. */
enum err route_find(const struct route_table *routes, struct slice path, const char *method,
		    struct arena *arena, struct match *match_out);
/* The path that a request for an unknown path probably means; NULL where none is near. */
const char *route_meant(struct call *call);

/* params.c: reads the parameters of the query. False: one is wrong, and the request answered. */
bool params_check(struct call *call);

/* ignored.c: adds the header Docket-Ignored to the answer, where anything was ignored. */
void name_ignored(struct call *call);

/* cors.c */
/* Whether it is a preflight of a page of an allowed origin. */
bool cors_is_preflight(const struct call *call);
/* Adds the CORS headers to an answer. */
void cors_answer(const struct app *app, struct http_request *http);

/* trace.c */
/* Gives the request its id, so that every answer has one. */
void trace_begin(struct http_request *http);
/* The client's address: the peer's or, behind a proxy, the one that the proxy names. */
struct ip trace_source(const struct app *app, struct http_request *http);
/* Writes the request's line in the log. `call` may be NULL. */
void trace_end(const struct app *app, const struct http_request *http, const struct call *call);

#endif
