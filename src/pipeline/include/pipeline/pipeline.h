/* SPDX-License-Identifier: MIT */
/* The pipeline: the way of every request to a handler and back. It finds the route, decides access,
 * reads the body and the parameters, queues reads and writes, and answers errors. It knows no
 * route: whoever starts the server gives it a table of them.
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
 *             {"GET", "/api/v1/tasks/{id}/version", BODY_NONE, RECORD_TASK, NULL, version_get,
 * NULL},
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
#include "auth/seal.h"
#include "base/array.h"
#include "http/http.h"
#include "model/fault.h"
#include "model/list.h"
#include "model/task.h"
#include "records/records.h"
#include "pipeline/app.h"

#define API_BODY_LIMIT (1024 * 1024)
#define API_BODY_SMALL (64 * 1024)

struct route;

/* One parameter of the query. */
struct param {
	const char *name;  /* as it was sent, decoded */
	struct slice base; /* the name without `[]` or `[0]` at its end */
	struct slice value;
	struct param *next;
};

/* What the parameters of a list, or of one record, ask for. */
struct list_request {
	struct list_query query;
	size_t sort_row; /* the row of the type's sorts */
	uint64_t page;
	bool count; /* mode=count */
	/* The digest of the filters in a canonical form. A cursor is for these filters alone. */
	unsigned char filters[SEAL_DIGEST_BYTES];
};

/* How a step of a request ends. */
enum flow {
	FLOW_ANSWERED, /* the request has its answer */
	FLOW_WAITS,    /* another thread goes on with it; this one must not touch it any more */
	/* The connection's thread goes on with it: it reads the body, or answers a write. Only the
	 * pipeline itself ends a step so. */
	FLOW_RETURNS,
};

/* The phases of a request; phase.c has their order. A phase ends where the next one begins, which
 * may be on another thread. */
enum request_phase {
	PHASE_HEAD,         /* the route is looked for */
	PHASE_ACCESS_EARLY, /* access is looked up, and the body comes later */
	PHASE_BODY_ALLOWED, /* access was given, and the body is awaited */
	PHASE_BODY,         /* the body is awaited, and access is looked up later */
	PHASE_ACCESS,       /* access is looked up, and the body is there */
	PHASE_HANDLER,      /* the handler works, or waits for a read */
	PHASE_PREVIEW,      /* a write that has faults, or a dry run, is tried and not stored */
	PHASE_WRITE,        /* the write is queued, running, or done */
	PHASE_ANSWERED,
};

/* The path of a request, as the route table has it. */
struct match {
	const struct route *route; /* NULL: no such path, or not with this method */
	const char *path;          /* the path in the route table; NULL: there is none */
	bool path_known;
	bool open; /* the path needs no access */
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
	const struct route *route; /* NULL until access was given */
	struct slice id_text;      /* what stands for {id} in the path */
	struct ip source;          /* the client's address */
	struct slice account;      /* the name of the account; ptr NULL: the path needs none */
	struct auth_request auth;
	const char *reason; /* why it was refused, for the log; NULL: as `auth` says */
	struct access access;
	struct scope scope;
	enum flow (*next)(struct call *call); /* goes on when the current read is done */
	struct faults faults;
	struct param *params; /* of the query, in its order */
	struct param **params_last;
	struct list_request list;       /* of routes that read it from the parameters */
	struct history_params *history; /* of routes about the history */
	json_t *body;                   /* parsed; NULL: the route has none */
	struct versions versions;       /* the versions of the record that the client has */
	const char *link_base;          /* what link_base() returns; NULL: not called yet */
	bool prefix_ignored;            /* X-Forwarded-Prefix was no path */
	bool dry_run;                   /* nothing is to be stored */
	bool lenient;                   /* unknown fields and parameters are ignored */
	bool preferred;                 /* it is lenient because of the header Prefer */
	struct buf ignored;             /* the names of what was ignored */
	struct store_write *stored;     /* the current write, or the one that was done */
	struct write_preview *preview;  /* of a write in PHASE_PREVIEW */
	void *read;                     /* the handler's own, for its read */
	void *write;                    /* the handler's own, for its write */
	struct call *waiting;           /* the next in the list of `readiness` */
};

enum body_kind {
	BODY_NONE,
	BODY_JSON,
};

/* A row for each method and path. The pipeline answers 404 and 405, decides access and limits
 * bodies; handlers never do. */
struct route {
	const char *method; /* a GET row serves HEAD as well */
	const char *path;   /* {id} stands for one segment */
	enum body_kind body;
	enum record_kind kind; /* of the records that it is about */
	/* Reads the parameters and adds a fault for each that is wrong. NULL: the route takes none.
	 * ERR_NOMEM. */
	enum err (*read_params)(struct call *call);
	/* Answers, or begins a read or a write. */
	enum flow (*handle)(struct call *call);
	/* Answers when a write is done. NULL: the route does not write. */
	void (*finish)(struct call *call);
	bool open; /* needs no access; logged only if it fails */
};

/* All routes. A path that stands in the table goes before one with {id} that it matches as well. */
struct route_table {
	const struct route *rows;
	size_t count;
};

/* server.c */
/* Whether its method changes nothing. A read-only token may do only that. */
bool call_only_reads(const struct call *call);
/* Makes the request wait for another thread, if it does not wait already. Call it on the
 * connection's thread, before another thread gets the request. */
void call_suspend(struct call *call);
/* Ends a step of the request. If the request waits, its connection's thread goes on with it; the
 * caller must not touch it any more. */
void call_end_step(struct call *call, enum flow flow);
/* Reads, on this thread or another, and then calls `next`. */
enum flow call_read(struct call *call, struct store_read *read, enum flow (*next)(struct call *));

/* write.c */
/* Queues a write; when it is done, the route's `finish` answers. If the request has faults already,
 * or is a dry run, the write is only previewed: `finish` then tells all its faults, or what would
 * be stored. */
enum flow call_write(struct call *call, struct store_write *write);

/* problem.c: answers a request with an error (RFC 9457). */
void problem(struct call *call, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* With all faults of the request: 400 for parameters, 422 for a body. */
void problem_faults(struct call *call, unsigned status);
/* With an error of the store. */
void problem_err(struct call *call, enum err err);

/* params.c */
/* Adds a fault for a parameter that the route does not take, or ignores it. `names` are those that
 * it takes. */
void params_unknown(struct call *call, const struct param *param, const char *const *names);

/* answer.c: answers with the record that is in the body, and with its ETag, which a dry run leaves
 * out. `created` ID_NONE: 200; else, unless it is a dry run, 201 and the record's Location. */
void answer_record(struct call *call, int64_t change, int64_t created);

/* link.c */
/* What every link to docket begins with, as in Link and Location: nothing, the prefix that a proxy
 * removes from requests, or the base URL. At most LINK_BASE_MAX bytes. NULL: out of memory. */
const char *link_base(struct call *call);
#define LINK_BASE_MAX (255 + ACCOUNT_NAME_MAX + 1)
/* The link to a record of the route's kind. NULL: out of memory. */
char *link_record(struct call *call, int64_t id);

/* What an entity tag has before the change number. Raise its number when docket encodes records in
 * another way and no migration changes them. */
#define TAG_FORM "1-"

/* versions.c: reads the entity tags of the header `name`, If-Match or If-None-Match. Without the
 * header, versions->given is false. False: it is malformed, and the request answered. */
bool versions_read(struct call *call, const char *name, struct versions *versions);

#endif
