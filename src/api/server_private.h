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
#ifndef API_SERVER_PRIVATE_H
#define API_SERVER_PRIVATE_H

#include "api_private.h"

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

#endif
