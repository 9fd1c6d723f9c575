/* SPDX-License-Identifier: MIT */
/* What the files of the API share. server_private.h has what only the pipeline needs. */
#ifndef API_API_PRIVATE_H
#define API_API_PRIVATE_H

#include <jansson.h>

#include "accounts/accounts.h"
#include "api/api.h"
#include "auth/basic.h"
#include "auth/seal.h"
#include "codec/codec.h"
#include "model/fault.h"
#include "model/list.h"
#include "model/task.h"
#include "records/records.h"

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

extern const struct route routes[];
extern const size_t route_count;

/* health.c */
enum flow health_get(struct call *call);
enum flow ready_get(struct call *call);

/* router.c */
/* ERR_NOMEM. */
enum err route_find(struct slice path, const char *method, struct arena *arena,
		    struct match *match_out);
/* The path that a request for an unknown path probably means; NULL where none is near. */
const char *route_meant(struct call *call);

/* problem.c: answers a request with an error (RFC 9457). */
void problem(struct call *call, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* With all faults of the request: 400 for parameters, 422 for a body. */
void problem_faults(struct call *call, unsigned status);
/* With an error of the store. */
void problem_err(struct call *call, enum err err);

/* params.c */
/* Reads the parameters of the query. False: one is wrong, and the request answered. */
bool params_check(struct call *call);
/* Adds a fault for a parameter that the route does not take, or ignores it. `names` are those that
 * it takes. */
void params_unknown(struct call *call, const struct param *param, const char *const *names);

/* ignored.c: adds the header Docket-Ignored to the answer, where anything was ignored. */
void name_ignored(struct call *call);

/* write_params.c: reads dry_run, which every write takes. */
enum err write_read_params(struct call *call);

/* list_params.c: reads the parameters of lists, and of single records, into call->list. */
enum err list_read_params(struct call *call);
enum err record_read_params(struct call *call);

/* page.c: where the next page begins, as text for a client. NULL when memory is out. */
char *cursor_write(struct call *call, const struct list_place *place);
/* Sets the place, the sort and the direction from `text`. `sort_given` and `dir_given`: the
 * request has its own, and they must agree, as the filters must where none is at fault. What is
 * wrong is a fault of `after`. */
enum err cursor_read(struct call *call, struct slice text, bool sort_given, bool dir_given,
		     bool filter_at_fault);
/* The header Link (RFC 8288): first, prev and next; `place` is of the page's last record, NULL
 * where nothing follows; `empty`: the page has none, and therefore no prev. ERR_INVALID where the
 * request is too long to be carried on in it. */
enum err page_links(struct call *call, const struct list_place *place, bool empty);

/* answer.c: answers with the record that is in the body, and with its ETag, which a dry run leaves
 * out. `created` ID_NONE: 200; else, unless it is a dry run, 201 and the record's Location. */
void answer_record(struct call *call, int64_t change, int64_t created);

/* list.c: lists of any kind of record, and one record. */
/* Answers with the JSON that the body has, or with what went wrong. */
enum flow answer_json(struct call *call, enum err err);
enum flow record_list(struct call *call);
enum flow record_get(struct call *call);
/* A read of one record of the route's kind, as call->read, or an answer and NULL; `take` is
 * called with the call. */
struct record_read *record_read_new(struct call *call, int64_t id, store_record_fn *take);

/* The number that the path names. False: it is none, and there can be no such record. */
bool call_id(const struct call *call, int64_t *id_out);

/* history.c */
enum err history_read_params(struct call *call);
enum err changes_read_params(struct call *call);
enum flow record_history(struct call *call);
enum flow changes_list(struct call *call);

/* link.c */
/* What every link to docket begins with, as in Link and Location: nothing, the prefix that a proxy
 * removes from requests, or the base URL. At most LINK_BASE_MAX bytes. NULL: out of memory. */
const char *link_base(struct call *call);
#define LINK_BASE_MAX (255 + ACCOUNT_NAME_MAX + 1)
/* The link to a record of the route's kind. NULL: out of memory. */
char *link_record(struct call *call, int64_t id);

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

/* me.c */
enum flow me_get(struct call *call);

/* What an entity tag has before the change number. Raise its number when docket encodes records in
 * another way and no migration changes them. */
#define TAG_FORM "1-"

/* versions.c: reads the entity tags of the header `name`, If-Match or If-None-Match. Without the
 * header, versions->given is false. False: it is malformed, and the request answered. */
bool versions_read(struct call *call, const char *name, struct versions *versions);

/* record_write.c */
enum flow record_create(struct call *call);
enum flow record_patch(struct call *call);
enum flow record_remove(struct call *call);
void record_written(struct call *call);
/* Puts the record that a write has stored or, of a dry run, would store. */
void record_put_written(const struct call *call, const struct record_write *write, struct buf *out);
/* How to decode the fields of a record of that kind for this request. */
struct decode record_decode(struct call *call, enum record_kind kind);

/* bulk.c */
enum flow tasks_bulk(struct call *call);
void tasks_bulk_written(struct call *call);

#endif
