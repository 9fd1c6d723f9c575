/* SPDX-License-Identifier: MIT */
/* JSON to and from a record's struct, by its field table. */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/account.h"
#include "model/field.h"

/* One decoding: what it is told, and what it finds. */
struct decode {
	/* In. */
	struct arena *arena;           /* for what the record points at */
	struct faults *faults;         /* everything that is wrong, as "task.title" */
	const char *prefix;            /* what the fields are under in the request: "task" */
	const struct account *account; /* whose settings and country hold */
	bool lenient;                  /* unknown fields are ignored and named in `ignored` */
	struct buf *ignored;           /* their paths, each percent-encoded, joined by ", " */
	/* Out. */
	/* Sets of fields, by field_bit(). */
	uint64_t given;    /* came with a value and without a fault */
	uint64_t at_fault; /* came with one that is wrong, or did not come and must */
};

/* Decodes the body of a create: an object whose member of the type's name holds the fields.
 * `record` is a zeroed struct of the type; each field without a value gets its empty one. Texts
 * point into `body`, which must live as long as the record does. */
void decode_new(const struct record_type *type, const json_t *body, struct decode *decode,
		void *record);

/* The object around the fields of a record, in a body that has nothing else; NULL with what is
 * wrong. Where it is missing that is the only fault. */
const json_t *decode_wrapper(const struct record_type *type, const json_t *body,
			     struct decode *decode);

/* The same of the fields themselves. */
void decode_fields(const struct record_type *type, const json_t *fields, struct decode *decode,
		   void *record);

/* Adds members of `object` that no row of `fields` names to the faults, or to decode->ignored. */
void decode_unknown(struct decode *decode, const json_t *object, const char *prefix,
		    const struct field *fields, size_t count);

/* The same for the object around the fields of a record, but for what an expansion adds to one. */
void decode_unknown_fields(const struct record_type *type, const json_t *fields,
			   struct decode *decode);

/* Reads the id of a record, a positive integer or the same as a decimal string; false with what is
 * wrong with it, as of the field `path`. */
bool decode_number(struct decode *decode, const json_t *value, const char *path, int64_t *id_out);

/* Decodes a merge patch (RFC 7396): `fields` is the object around the fields. `record`, which is as
 * `before`, is what it makes of it; what it does not name stays as it is. A null empties a field. A
 * field that only docket sets may come with the value that it has; so may a text, whatever the
 * rules are by now. */
void decode_patch(const struct record_type *type, const json_t *fields, struct decode *decode,
		  const void *before, void *record);

/* Adds a name to decode->ignored. */
void decode_ignore(struct buf *ignored, const char *path);

/* Writes the record as the API shows it: every field of the table that is not hidden, in its
 * order. */
void encode_record(const struct record_type *type, const void *record, struct buf *out);
/* The same without the braces around it. */
void encode_members(const struct record_type *type, const void *record, struct buf *out);
/* Whether a record written `then` has a member that it has not, or otherwise, as it is written
 * `now`; `name` is the first such. What only `now` has is a field that docket did not know then. */
bool encoded_differs(struct slice then, struct slice now, char name[64]);
/* What has changed between two records that were written, as {"title": {"from": "a", "to": "b"}}.
 * One that is NULL is not there: all that the other has is told. A member that is missing is null.
 * The id and the times of creation and change are left out. */
void encode_changes(const json_t *before, const json_t *after, struct buf *out);
/* As it stands inside the record that names it: with a member `name` in any case. */
void encode_related(const struct record_type *type, const void *record, struct buf *out);

#endif
