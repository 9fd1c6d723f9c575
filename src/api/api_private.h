/* SPDX-License-Identifier: MIT */
/* What the files of the API share. */
#ifndef API_API_PRIVATE_H
#define API_API_PRIVATE_H

#include <jansson.h>

#include "api/api.h"
#include "auth/basic.h"
#include "auth/seal.h"
#include "codec/codec.h"
#include "model/fault.h"

#define API_BODY_LIMIT (1024 * 1024)
#define API_BODY_SMALL (64 * 1024)

struct route;

/* One pair of the query. */
struct param {
	const char *name;  /* decoded, as it was sent */
	struct slice base; /* the same without `[]` or `[0]` */
	struct slice value;
	struct param *next;
};

/* What the parameters of a list or of one record ask for. */
struct list_request {
	struct list_query query;
	size_t sort_row; /* of the type's sorts */
	uint64_t page;
	bool count; /* mode=count */
	/* What the filters are, in a canonical form: to tell whose cursor one is. */
	unsigned char filters[SEAL_DIGEST_BYTES];
};

/* What a step of a request has come to. */
enum flow {
	FLOW_ANSWERED, /* there is an answer, or a fault that is one */
	FLOW_WAITS,    /* it goes on elsewhere, and must not be touched any more */
};

/* What a path names, whatever the method. */
struct match {
	const struct route *route; /* NULL: no such path, or not with this method */
	const char *path;          /* the template that the path is of; NULL: of none */
	bool path_known;
	bool open; /* the path needs no access */
	struct slice id_text;
	const char *allow; /* for Allow; in the arena */
};

/* One request on its way through the pipeline. */
struct call {
	struct app *app;
	struct http_request *http;
	struct match match;
	const struct route *route; /* when access was given */
	struct slice id_text;      /* what stands for {id} in the path */
	struct ip source;          /* whom it is from */
	struct slice account;      /* the name that is asked for; NULL where none is */
	struct auth_request auth;
	const char *reason; /* why it was refused, for the log; NULL: as `auth` says */
	struct access access;
	struct scope scope;
	bool suspended;                       /* http_resume() goes on with it */
	bool whole;                           /* its body is there */
	enum flow (*next)(struct call *call); /* when the read under way is done */
	struct faults faults;
	struct param *params; /* of the query, in its order */
	struct param **params_last;
	struct list_request list;       /* for routes that read it from the parameters */
	struct history_params *history; /* for those about the history */
	json_t *body;                   /* parsed, where the route has one */
	struct versions versions;       /* that the client has of the record */
	const char *link_base;          /* as link_base() gives it; NULL: not asked for yet */
	bool prefix_ignored;            /* X-Forwarded-Prefix was not one */
	bool dry_run;                   /* nothing is to be stored */
	bool lenient;                   /* unknown fields and parameters are ignored */
	bool preferred;                 /* because the request prefers it so, not its token */
	struct buf ignored;             /* and named here */
	struct store_write *stored;     /* the write under way, or done */
	struct write_judge *judge;      /* of a write that is at fault */
	void *read;                     /* a handler's own, while its read is under way */
	void *write;                    /* a handler's own, while its write is under way */
	struct call *waiting;           /* the next in the list of `readiness` */
};

enum body_kind {
	BODY_NONE,
	BODY_JSON,
};

/* One row per method and path. The router answers 404, 405, access and body limits; handlers
 * never do. */
struct route {
	const char *method; /* a GET row serves HEAD as well */
	const char *path;   /* {id} stands for one segment */
	enum body_kind body;
	enum record_kind kind; /* what it is about */
	/* Reads the parameters and adds what is wrong with them to the faults; NULL: there are
	 * none. ERR_NOMEM. */
	enum err (*read_params)(struct call *call);
	/* Answers, or has begun a read or a write; `finish` answers when a write is done. */
	enum flow (*handle)(struct call *call);
	void (*finish)(struct call *call);
	bool open; /* needs no access, and is logged only where it fails */
};

/* server.c: whether its method changes nothing; what a token that only reads may do. */
bool call_only_reads(const struct call *call);
/* On its own thread: it waits for another, which goes on with it by call_settle(). */
void call_suspend(struct call *call);
void call_settle(struct call *call, enum flow flow);
/* Reads, here or on another thread, and goes on with `next`. */
enum flow call_read(struct call *call, struct store_read *read, enum flow (*next)(struct call *));
/* Queues a write, for which the route's `finish` answers; one that is at fault already has all its
 * faults told instead, and a dry run only does as if. */
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
/* The path that a request for an unknown one probably means; NULL where none is near. */
const char *route_meant(struct call *call);

/* problem.c: every error there is (RFC 9457). They answer the request. */
void problem(struct call *call, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The faults of a request: 400 for parameters, 422 for a body. */
void problem_faults(struct call *call, unsigned status);
/* What the store said. */
void problem_err(struct call *call, enum err err);

/* params.c: reads the parameters of the query. True when the request may go on, else it is
 * answered. */
bool params_check(struct call *call);
/* A parameter that the request does not know is a fault, or ignored; `names` are those that it
 * does. */
void params_unknown(struct call *call, const struct param *param, const char *const *names);

/* ignored.c: names what was ignored in a header of the answer, whatever that is. */
void name_ignored(struct call *call);

/* write_params.c: dry_run, which every write takes. */
enum err write_read_params(struct call *call);

/* list_params.c: what lists and single records are asked for, as call->list. */
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

/* Answers with a record, its ETag, and 201 with a Location where `location` is not NULL. */
void answer_record(struct call *call, const struct record_type *type, const struct record *record,
		   const char *location);

/* list.c: lists of any kind of record, and one record. */
/* Answers with the JSON that the body has, or with what went wrong. */
enum flow answer_json(struct call *call, enum err err);
enum flow record_list(struct call *call);
enum flow record_get(struct call *call);
/* A read of one record of the route's kind, as call->read, or an answer and NULL; `take` is
 * called with the call. */
struct record_read *record_read_new(struct call *call, int64_t id, store_record_fn *take);

/* The number that the path names. What is no number at all is answered as one without a record. */
bool call_id(const struct call *call, int64_t *id_out);

/* history.c */
enum err history_read_params(struct call *call);
enum err changes_read_params(struct call *call);
enum flow record_history(struct call *call);
enum flow changes_list(struct call *call);

/* link.c */
/* What every path of docket's own begins with where a client is given one, as in Link and Location:
 * "", the prefix that a proxy takes off, or the base URL. Never more than LINK_BASE_MAX bytes. NULL
 * when memory is out. */
const char *link_base(struct call *call);
#define LINK_BASE_MAX (255 + ACCOUNT_NAME_MAX + 1)
/* The link to a record of the route's kind. NULL when memory is out. */
char *link_record(struct call *call, int64_t id);

/* cors.c */
/* Whether a page of an allowed origin asks what it may send. */
bool cors_is_preflight(const struct call *call);
/* Adds to an answer, whatever it is, what a browser must know of it. */
void cors_answer(const struct app *app, struct http_request *http);

/* trace.c: gives the request its id, so that every answer has one. */
void trace_begin(struct http_request *http);
/* Whom it is from: the peer or, behind a proxy, whom the proxy names. */
struct ip trace_source(const struct app *app, struct http_request *http);
/* Its line in the log. `call` is NULL where there is none. */
void trace_end(const struct app *app, const struct http_request *http, const struct call *call);

/* me.c */
enum flow me_get(struct call *call);

/* What an entity tag has before the change number. It rises when docket writes records in a way
 * that no migration has told of. */
#define TAG_FORM "1-"

/* versions.c: reads a list of entity tags; false where it is none, and the request answered.
 * Without the header nothing is given. */
bool versions_read(struct call *call, const char *name, struct versions *versions);

/* record_write.c */
enum flow record_create(struct call *call);
enum flow record_patch(struct call *call);
enum flow record_remove(struct call *call);
void record_written(struct call *call);
/* How the fields of a record of that kind are decoded for this request. */
struct decode record_decode(struct call *call, enum record_kind kind);

/* bulk.c */
enum flow tasks_bulk(struct call *call);
void tasks_bulk_written(struct call *call);

#endif
