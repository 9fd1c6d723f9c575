/* SPDX-License-Identifier: MIT */
/* The pipeline takes every request to a handler. It finds the route, decides access, reads the body
 * and the parameters, queues reads and writes, and answers errors. It knows no routes: the code
 * that starts the server passes a table of them.
 *
 * A route that answers with the version of a record:
 *
 *     static enum flow version_answer(struct call *call)
 *     {
 *             struct record_read *read = call->read;
 *
 *             if (read->read.err)
 *                     problem_err(call, read->read.err);
 *             else
 *                     …
 *             return FLOW_ANSWERED;
 *     }
 *
 *     static enum flow version_get(struct call *call)
 *     {
 *             struct record_read *read = arena_alloc(&call->http->arena, sizeof(*read));
 *             …
 *             call->read = read;
 *             return call_read(call, &read->read, version_answer);
 *     }
 *
 *     static const struct route rows[] = {
 *             {.method = "GET", .path = "/api/v1/tasks/{id}/version", .kind = RECORD_TASK,
 *              .handle = version_get},
 *     };
 *     const struct route_table routes = {rows, COUNT_OF(rows)};
 *     struct app app = {.routes = &routes, .store = store, …};
 *     const struct http_config http = {.app = &pipeline_app, .app_data = &app, …};
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include <jansson.h>

#include "accounts/accounts.h"
#include "auth/basic.h"
#include "base/array.h"
#include "http/http.h"
#include "load/load.h"
#include "model/fault.h"
#include "records/records.h"
#include "pipeline/app.h"

#define API_BODY_LIMIT (1024 * 1024)

struct pieces;
struct problem_row;
struct route;

/* One parameter of the query. */
struct param {
	const char *name;  /* decoded */
	struct slice base; /* the name without `[]` or `[0]` at its end */
	struct slice value;
	struct param *next;
};

/* How a step of a request ends. */
enum flow {
	FLOW_ANSWERED, /* the request has an answer */
	FLOW_WAITS,    /* another thread continues it; this one must not touch it any more */
	/* The connection's thread continues it: it reads the body, answers a write, or sends the
	 * next piece of an answer. Of the handlers only `more` of struct call returns this. */
	FLOW_RETURNS,
};

/* The phases of a request; phase.c has their order. The next phase may begin on another thread. */
enum request_phase {
	PHASE_HEAD,         /* the route is being found */
	PHASE_ACCESS_EARLY, /* access is looked up, and the body comes later */
	PHASE_ROOM,         /* access was given, and the request waits for room for its body */
	PHASE_BODY_ALLOWED, /* the body is being read */
	PHASE_BODY,         /* the body is being read, and access is looked up later */
	PHASE_ACCESS,       /* access is looked up, and the body is there */
	PHASE_HANDLER,      /* the handler runs, or waits for a read */
	PHASE_PREVIEW,      /* a write that has faults, or a dry run, is tried and not stored */
	PHASE_WRITE,        /* the write is queued, running, or done */
	PHASE_ANSWERED,
};

/* The path of a request, as the route table has it. */
struct match {
	const struct route *route; /* NULL: no such path, or not with this method */
	const char *path;          /* the path in the route table; NULL: there is none */
	bool path_known;
	bool open; /* the path is open to everybody */
	struct slice id_text;
	const char *allow; /* for Allow; in the arena */
};

/* One request on its way through the pipeline. */
struct call {
	struct app *app;
	struct http_request *http;
	enum request_phase phase; /* only request_enter() changes it */
	bool suspended;           /* http_resume() must follow */
	struct match match;
	const struct route *route;              /* NULL until access was given */
	struct slice id_text;                   /* the segment {id} of the path */
	int64_t era;                            /* of the database, when the request began */
	unsigned char cursor_key[SECRET_BYTES]; /* see cursor_key() */
	struct ip source;                       /* the client's address */
	bool source_known;    /* false: the proxy did not tell it, and `source` is the proxy's */
	struct slice account; /* the name of the account; ptr NULL: the path needs none */
	struct auth_request auth;
	const struct problem_row *problem; /* the last that it was answered with; NULL: none */
	const char *reason; /* why it was refused, for the log; NULL: see auth_reason() */
	struct access access;
	struct rate_use rate; /* zeroed until it is counted */
	struct scope scope;
	struct charge charge; /* the memory that it holds; zeroed until access is given */
	enum flow (*next)(struct call *call); /* called when the current read is done */
	struct faults faults;
	token_scopes needs;   /* what the parameters need beside the scopes of the route */
	struct param *params; /* of the query, in its order */
	struct param **params_last;
	void *request;                 /* the route's own: what its read_params has read */
	json_t *body;                  /* parsed; NULL: the route has none, or its write waits */
	struct versions versions;      /* those of the record or document that the client has */
	const char *link_base;         /* what link_base() returns; NULL: not called yet */
	bool prefix_ignored;           /* X-Forwarded-Prefix was no path */
	bool dry_run;                  /* nothing is to be stored */
	bool lenient;                  /* unknown fields and parameters are ignored */
	bool preferred;                /* it is lenient because of the header Prefer */
	struct buf ignored;            /* the names of ignored fields and parameters */
	struct store_write *stored;    /* the current write, or the one that was done */
	struct write_preview *preview; /* of a write in PHASE_PREVIEW */
	void *read;                    /* the handler's own, for its read */
	void *write;                   /* the handler's own, for its write */
	/* Puts the next piece of the answer into the body, and returns FLOW_RETURNS. An empty piece
	 * breaks the connection off. NULL: the answer has one piece. */
	enum flow (*more)(struct call *call);
	struct pieces *pieces; /* the pieces, if pieces.h makes them */
	struct call *waiting;  /* the next in the list of `readiness` */
};

enum body_kind {
	BODY_NONE,
	BODY_JSON,
};

enum parameter_type {
	PARAMETER_INTEGER,
	PARAMETER_CHOICE,
	PARAMETER_TEXT,
	PARAMETER_SORT,   /* the name of a sort of the record's lists */
	PARAMETER_EXPAND, /* names of expansions of the record's lists */
};

/* A parameter that a route takes. Filters of lists are in the record's lists. */
struct parameter {
	const char *name;
	enum parameter_type type;
	int64_t least, most;        /* of an integer */
	const char *const *choices; /* of a choice; NULL-terminated */
	int64_t preset; /* without it: an integer, or the index of a choice; -1: no choice */
	const char *help;
};

/* What a route answers if nothing fails. */
enum answer_kind {
	ANSWER_UNDESCRIBED, /* no row of the table may have this */
	ANSWER_NONE,        /* 204 */
	ANSWER_RECORD,
	ANSWER_CREATED, /* 201 and the record */
	ANSWER_CHANGED, /* the record after the change */
	ANSWER_LIST,
	ANSWER_HISTORY,
	ANSWER_ALERTS,
	ANSWER_CHANGES,
	ANSWER_RESULTS, /* of the operations of a bulk request */
	ANSWER_ME,
	ANSWER_HEALTH,
	ANSWER_OPENAPI,
	ANSWER_REFERENCE, /* HTML, with a tag */
	ANSWER_PAGE,      /* HTML */
	ANSWER_STYLE,     /* CSS */
	ANSWER_SCRIPT,    /* JavaScript */
	ANSWER_KINDS,
};

/* Which scopes a token must have. */
enum route_needs {
	NEEDS_KIND,       /* the one that reads or writes records of the kind, as the method says */
	NEEDS_EVERY_KIND, /* those that read records of each kind */
	NEEDS_NOTHING,
};

/* A row for each method and path. The pipeline answers 404 and 405, decides access and limits
 * bodies; handlers never do. */
struct route {
	const char *method; /* a GET row serves HEAD as well */
	const char *path;   /* {id} matches one segment */
	enum body_kind body;
	enum record_kind kind; /* of the records that it is about */
	/* Reads the parameters into `request` and adds a fault for each that is wrong. NULL: the
	 * route takes none. ERR_NOMEM. */
	enum err (*read_params)(struct call *call);
	/* Answers, or begins a read or a write. */
	enum flow (*handle)(struct call *call);
	/* Answers when a write is done. NULL: the route does not write. */
	void (*finish)(struct call *call);
	/* The parameters besides filters; the last row has no name. NULL: there are none. */
	const struct parameter *parameters;
	/* Describe the route in the OpenAPI document: its operationId, what it does as an order,
	 * and more of it (NULL: there is no more). {record} and {records} stand for the noun of
	 * the kind, {Record} and {Records} for the noun in an identifier. */
	const char *operation, *summary, *help;
	enum answer_kind answer;
	bool open; /* needs no access; logged only if it fails */
	enum route_needs needs;
};

/* All routes. A request whose path matches a row literally never gets a row with {id}. */
struct route_table {
	const struct route *rows;
	size_t count;
};

/* router.c: the scopes that a token must have for the route. */
token_scopes route_scopes(const struct route *route);

/* server.c */
/* Whether its method changes nothing. */
bool call_only_reads(const struct call *call);
/* Makes the request wait for another thread, if it does not wait already. Call it on the
 * connection's thread, before another thread gets the request. */
void call_suspend(struct call *call);
/* Ends a step of the request. If the request waits, its connection's thread continues it; the
 * caller must not touch it any more. */
void call_end_step(struct call *call, enum flow flow);
/* Reads, on this thread or another, and then calls `next`. */
enum flow call_read(struct call *call, struct store_read *read, enum flow (*next)(struct call *));

/* write.c */
/* Queues a write; when it is done, the route's `finish` answers. If the request has faults already,
 * or is a dry run, the write is only previewed: `finish` then answers with all its faults, or with
 * what would be stored. */
enum flow call_write(struct call *call, struct store_write *write);

/* problem_rows.c */
enum problem_code {
	PROBLEM_MALFORMED_REQUEST,
	PROBLEM_MALFORMED_HEADER,
	PROBLEM_MALFORMED_JSON,
	PROBLEM_INVALID_PARAMETER,
	PROBLEM_CREDENTIALS,
	PROBLEM_NO_FULL_ACCESS,
	PROBLEM_READ_ONLY,
	PROBLEM_SCOPE,
	PROBLEM_NO_PATH,
	PROBLEM_NO_RECORD,
	PROBLEM_METHOD,
	PROBLEM_IN_USE,
	PROBLEM_IN_PROGRESS,
	PROBLEM_RESTORED,
	PROBLEM_PRECONDITION,
	PROBLEM_BODY_SIZE,
	PROBLEM_TARGET_SIZE,
	PROBLEM_MEDIA_TYPE,
	PROBLEM_INVALID_FIELDS,
	PROBLEM_GUESSES,
	PROBLEM_RATE,
	PROBLEM_SHARE,
	PROBLEM_HEADERS_SIZE,
	PROBLEM_INTERNAL,
	PROBLEM_BUSY,
	PROBLEM_TIMEOUT,
	PROBLEM_UNREACHABLE,
	PROBLEM_OUTCOME,
	PROBLEM_DISK_FULL,
	PROBLEM_STORAGE,
	PROBLEM_STOPPING,
	PROBLEM_MEMORY,
	PROBLEM_NOT_READY,
	PROBLEM_VERSION,
	PROBLEM_CODES,
};

/* A problem, and what a client can do about it. */
struct problem_row {
	const char *code; /* for programs; the last part of `type` */
	unsigned status;
	const char *cause;  /* a phrase */
	const char *cure;   /* sentences */
	const char *detail; /* an example */
	bool has_faults;    /* it has `errors`; the example has one of the code `fault` */
	enum fault_code fault;
};
extern const struct problem_row problem_rows[PROBLEM_CODES];

/* Writes the example of a problem, as docket would answer it. */
void problem_example(enum problem_code code, struct arena *arena, struct buf *out);

/* The first problem of that status. */
enum problem_code problem_of_status(unsigned status);

/* problem.c: answers a request with an error (RFC 9457). */
void problem(struct call *call, enum problem_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* With all faults of the request. */
void problem_faults(struct call *call, enum problem_code code);
/* With an error of the store. */
void problem_err(struct call *call, enum err err);

/* params.c */
/* The names of parameters, NULL-terminated; `more` is room for as many others. NULL: out of
 * memory. */
const char **parameter_names(struct call *call, const struct parameter *parameters, size_t more);
/* Adds a fault for a parameter that the route does not take, or ignores it. `names` are those that
 * it takes. */
void params_unknown(struct call *call, const struct param *param, const char *const *names);

/* answer.c: completes an answer whose body has a record. `created` is the id of a new record: the
 * status is 201, and the answer has its Location. ID_NONE: the status is 200. The answer has an
 * ETag. For a dry run the status is 200, without ETag and Location. */
void answer_record(struct call *call, int64_t change, int64_t created);

/* link.c */
/* What every link to docket begins with, as in Link and Location: nothing, the prefix that a proxy
 * removes from requests, or the base URL. At most LINK_BASE_MAX bytes. NULL: out of memory. */
const char *link_base(struct call *call);
#define LINK_BASE_MAX (255 + ACCOUNT_NAME_MAX + 1)
/* The link to a record of the route's kind. NULL: out of memory. */
char *link_record(struct call *call, int64_t id);

/* What an entity tag has before the change number. If docket encodes records differently, but no
 * migration changes the records, raise the number here. Then a migration must also renew the
 * history (history_renew()), because long lists are answered from it. */
#define TAG_FORM "1-"

/* versions.c */
/* A restore of the database begins a new era (place/place.h). In era 0 a version is "1-7" and a
 * position in the list of changes is 7. In another era both have the number of the era, so those of
 * another era are recognised: "1-4821-7" and 48210000000007. So a position stays an integer that
 * JavaScript can represent. An account has fewer than ERA_CHANGES changes. */
#define ERA_CHANGES INT64_C(10000000000)
/* The position after a change, for a client to send back. */
int64_t position_of(const struct call *call, int64_t change);
/* The change of the position that a client has sent. False: the position is of another era, and the
 * request is answered. */
bool position_read(struct call *call, int64_t position, int64_t *change_out);
/* The key of the cursors of the request's era. Each era has a key of its own, so that docket does
 * not know the cursors of another. It lives as long as the call. */
const unsigned char *cursor_key(struct call *call);
/* The entity tag of a version. NULL: out of memory. */
char *version_tag(struct call *call, int64_t change);
/* Reads the entity tags of the header `name`, If-Match or If-None-Match. Without the header,
 * versions->given is false. False: it is malformed, and the request answered. */
bool versions_read(struct call *call, const char *name, struct versions *versions);

#endif
