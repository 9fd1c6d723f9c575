/* SPDX-License-Identifier: MIT */
/* What the files of the API share. */
#ifndef API_API_PRIVATE_H
#define API_API_PRIVATE_H

#include <jansson.h>

#include "api/api.h"
#include "auth/basic.h"
#include "model/fault.h"

#define API_BODY_LIMIT (1024 * 1024)

struct route;

/* One request on its way through the pipeline. */
struct call {
	struct app *app;
	struct http_request *http;
	const struct route *route;
	struct slice id_text; /* what stands for {id} in the path */
	struct access access;
	struct scope scope;
	struct faults faults;
	json_t *body;       /* parsed, where the route has one */
	bool lenient;       /* unknown fields and parameters are ignored */
	struct buf ignored; /* and named here */
	void *write;        /* a handler's own, while its write is under way */
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
	/* Answers, or has queued a write: then `finish` answers when it is done. */
	void (*handle)(struct call *call);
	void (*finish)(struct call *call);
};

extern const struct route routes[];
extern const size_t route_count;

/* router.c: what the path names, whatever the method. */
struct match {
	const struct route *route; /* NULL: no such path, or not with this method */
	bool path_known;
	struct slice id_text;
	const char *allow; /* for Allow; in the arena */
};

/* ERR_NOMEM. */
enum err route_find(struct slice path, const char *method, struct arena *arena,
		    struct match *match_out);

/* problem.c: every error there is (RFC 9457). They answer the request. */
void problem(struct call *call, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The faults of a request: 400 for parameters, 422 for a body. */
void problem_faults(struct call *call, unsigned status);
/* What the store said. */
void problem_err(struct call *call, enum err err);

/* params.c: the parameters of the query that the route does not know are faults, or ignored. True
 * when the request may go on, else it is answered. */
bool params_check(struct call *call);

/* Answers with a record, its ETag, and 201 with a Location where `location` is not NULL. */
void answer_record(struct call *call, const struct record_type *type, const struct record *record,
		   const char *location);

/* task.c */
void task_get(struct call *call);
void task_create(struct call *call);
void task_created(struct call *call);

#endif
