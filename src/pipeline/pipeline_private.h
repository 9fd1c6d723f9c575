/* SPDX-License-Identifier: MIT */
/* Shared by the files of the pipeline; handlers do not need it.
 *
 *	server.c      the steps of a request, and reads
 *	  → phase.c   which phase may follow which
 *	  → access.c  which client, for which account
 *	  → body.c    the body and its headers
 *	  → prefer.c  the header Prefer
 *	  → admission.c  the memory that it may hold
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
/* The name of the account that the request is for, in the arena; "": the host names none. */
struct slice access_account(struct call *call);
/* Looks up the account, the staff member and the token, and continues with `next`; or refuses the
 * request. */
enum flow access_look_up(struct call *call, enum flow (*next)(struct call *call));
/* Decides from what was looked up, and counts the request for the limits on rates. False: access is
 * refused, and the request answered. */
bool access_decide(struct call *call);
/* False: the token lacks some of these scopes, and the request is answered. */
bool access_allows(struct call *call, token_scopes need);

/* body.c */
/* Whether a body may have this Content-Type; empty: none. */
bool body_takes_type(struct slice type);
/* Whether a body may have this Content-Encoding; empty: none. */
bool body_takes_coding(struct slice coding);
/* False: a header or the body is refused, and the request answered. */
bool body_check_headers(struct call *call);
bool body_parse(struct call *call);

/* admission.c: charges the memory of the request to the budget. Each returns false if there is no
 * room; the request is then answered with 429 or 503. */
/* Before the body is read; may wait for room. */
enum flow admit_body(struct call *call);
/* Before the body is parsed. */
bool admit_tree(struct call *call);
/* Before the write waits. Frees the body and the parsed body. */
bool admit_write(struct call *call);
/* Before the answer is sent. Frees what is not needed any more. If there is no room for the answer,
 * answers with 429 or 503 instead. */
void admit_answer(struct call *call);
/* When the next piece of the answer is there. */
void admit_piece(struct call *call);

/* prefer.c */
enum handling {
	HANDLING_NOT_GIVEN,
	HANDLING_STRICT, /* also a value that docket does not know */
	HANDLING_LENIENT,
};

/* The preference `handling` in the header Prefer. */
enum handling prefer_handling(struct slice list);
/* Reads the header Prefer into the call. False: out of memory, and the request answered. */
bool prefer_read(struct call *call);

/* problem.c: the answer to an error of the store. */
struct err_answer {
	enum problem_code code;
	const char *detail;
	bool unstored;        /* it is certain that the write stored nothing */
	unsigned retry_after; /* seconds; 0: without the header */
};

const struct err_answer *err_answer(enum err err);

/* write.c: answers when the outcome of the write is known. */
void write_answer(struct call *call);

/* answer.c */
void answer_add_retry_after(struct call *call, unsigned seconds);
/* Adds RateLimit-Policy and RateLimit, if the request was counted for a limit. */
void answer_add_rates(struct call *call);
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
/* The path that a request for an unknown path probably means; NULL: no guess. */
const char *route_meant(struct call *call);

/* params.c: reads the parameters of the query. False: one is wrong, and the request answered. */
bool params_check(struct call *call);

/* ignored.c: adds the header Docket-Ignored to the answer, if anything was ignored. */
void answer_add_ignored(struct call *call);

/* cors.c */
/* Whether it is a preflight of a page of an allowed origin. */
bool cors_is_preflight(const struct call *call);
/* Adds the CORS headers to an answer. */
void cors_answer(const struct app *app, struct http_request *http);

/* trace.c */
/* Gives the request its id, so that every answer has one. */
void trace_begin(struct http_request *http);
/* The client's address: the peer's or, behind a proxy, the one that the proxy names. */
struct ip trace_source(const struct app *app, struct http_request *http, bool *known_out);
/* Writes the request's line in the log. `call` may be NULL. The request took `us` microseconds. */
void trace_end(const struct app *app, const struct http_request *http, const struct call *call,
	       int64_t us);

/* traffic.c: counts a request that has ended, if its answer was sent. `traffic` and `call` may be
 * NULL. */
void traffic_count(struct traffic *traffic, const struct http_request *http,
		   const struct call *call, int64_t us);

#endif
