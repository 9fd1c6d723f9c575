/* SPDX-License-Identifier: MIT */
/* The parts of the document. Each function returns a new value.
 *
 *	openapi.c         the document
 *	  → operations.c    paths and what is done there
 *	    → parameters.c  parameters, filters and request headers
 *	    → answers.c     answers that succeed
 *	    → problems.c    answers that fail
 *	  → records.c       records, by their field tables
 *	  → objects.c       objects that no table describes
 *	  → reference.c     the document as a page for people
 *	    → lines.c       the lines that send a request
 *	build.c           JSON, and words in it */
#ifndef OPENAPI_OPENAPI_PRIVATE_H
#define OPENAPI_OPENAPI_PRIVATE_H

#include <jansson.h>

#include "base/buf.h"
#include "model/records.h"
#include "pipeline/pipeline.h"

/* build.c */
/* Ends the process if `value` is NULL: memory has run out, or a format is wrong. */
json_t *made(json_t *value);
/* As json_pack(), json_sprintf() and json_loads(), but never NULL. */
#define PACK(...) made(json_pack(__VA_ARGS__))
#define TEXT(...) made(json_sprintf(__VA_ARGS__))
json_t *parsed(const char *text);
/* Both take over `value`. */
void put(json_t *object, const char *key, json_t *value);
void add(json_t *array, json_t *value);
/* A list of texts; `choices` ends with NULL. */
json_t *texts(const char *const *choices);
/* The phrase as a sentence: with a capital, and a full stop. */
json_t *sentence(const char *phrase);
void buf_add_sentence(struct buf *out, const char *phrase);
/* The contents of the buffer, which it releases. */
json_t *buf_text(struct buf *buf);
/* {"$ref": "#/components/SECTION/NAME"} */
json_t *reference(const char *section, const char *name);
/* Adds "null" to the types of a schema, and to its choices if it has some. */
json_t *nullable(json_t *schema);
/* A text of struct route, with the nouns of the kind. */
json_t *worded(const char *text, const struct record_type *type);
/* The name of a schema: prefix, the name of the kind as "CaseService", suffix. */
json_t *schema_name(const char *prefix, const struct record_type *type, const char *suffix);

/* records.c */
enum shape {
	SHAPE_ANSWER,
	SHAPE_DRY_RUN, /* the answer to a dry run of a create: the id is null */
	SHAPE_RELATED, /* a record that `expand` has added */
	SHAPE_NEW,     /* the fields of a create */
	SHAPE_PATCH,   /* the fields of a change */
	SHAPE_UPDATE,  /* the fields of a change in a bulk request, with the id */
	SHAPES,
};
/* The name of a schema of that shape. */
json_t *shape_name(const struct record_type *type, enum shape shape);
json_t *shape_reference(const struct record_type *type, enum shape shape);
/* Puts the schemas of all records and of addresses into `schemas`. */
void put_record_schemas(json_t *schemas);
json_t *record_example(const struct record_type *type, enum shape shape);

/* objects.c */
/* Puts the schemas of all other objects into `schemas`. */
void put_object_schemas(json_t *schemas);

/* parameters.c */
/* The list of an operation's parameters, without that of its path. */
json_t *operation_parameters(const struct route *route);
json_t *header_parameters(void);
/* What the parameter of a path is: {id} or {code}. */
json_t *path_parameter(const char *path);

/* answers.c */
/* The body that a route takes. */
json_t *request_body(const struct route *route);
/* Puts the answers to a request that succeeds into `responses`. */
void put_answers(const struct route *route, json_t *responses);
json_t *answer_headers(void);

/* problems.c */
/* Puts the answers to a request that fails into `responses`. */
void put_problems(const struct route *route, json_t *responses);
/* Those answers, which operations refer to. */
json_t *problem_responses(void);

/* reference.c */
/* Adds the document as HTML. */
void reference_add(const json_t *document, struct buf *out);

/* lines.c */
/* Adds the lines that send a request, for curl, Python, Node and PHP. The path has no parameters.
 */
void lines_add(struct buf *out, const char *method, const char *path, const json_t *operation);
/* Adds what these lines need before them. */
void lines_add_setup(struct buf *out);

/* operations.c */
/* The example of an operation's body, which belongs to the operation; NULL: it has no body. */
const json_t *body_example(const json_t *operation);
json_t *paths(const struct route_table *routes);

#endif
