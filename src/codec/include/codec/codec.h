/* SPDX-License-Identifier: MIT */
/* Converts JSON to a record's struct and back, by the record's field table. */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/account.h"
#include "model/field.h"

/* One decoding: its arguments and its results. */
struct decode {
	/* In. */
	struct arena *arena;           /* for what the record points at */
	struct faults *faults;         /* all that is wrong; fields are named as "task.title" */
	const char *prefix;            /* the object that the fields are in: "task" */
	const struct account *account; /* its settings and country apply */
	bool lenient;                  /* unknown fields are ignored and named in `ignored` */
	struct buf *ignored;           /* their paths, each percent-encoded, joined by ", " */
	/* Out. */
	/* Sets of fields, by field_bit(). */
	uint64_t given;    /* came with a value and without a fault */
	uint64_t at_fault; /* came with a wrong value, or is required and did not come */
};

/* Decodes the body of a create, such as {"task": {…}}. `record` is a zeroed struct of the type; a
 * field without a value is cleared. Afterwards nothing points into `body`. */
void decode_new(const struct record_type *type, const json_t *body, struct decode *decode,
		void *record);

/* Returns the object that contains the fields of a record, the member "task" of {"task": {…}}.
 * Every other member of the body is a fault. NULL, with a fault, if there is no such object; if the
 * member is missing, that is the only fault. */
const json_t *decode_wrapper(const struct record_type *type, const json_t *body,
			     struct decode *decode);

/* As decode_new(), from the object that contains the fields. */
void decode_fields(const struct record_type *type, const json_t *fields, struct decode *decode,
		   void *record);

/* Adds members of `object` that no row of `fields` names to the faults, or to decode->ignored. */
void decode_unknown(struct decode *decode, const json_t *object, const char *prefix,
		    const struct field *fields, size_t count);

/* The same for the object that contains the fields of a record. It accepts the members that an
 * expansion adds. */
void decode_unknown_fields(const struct record_type *type, const json_t *fields,
			   struct decode *decode);

/* Reads the id of a record, a positive integer or the same as a decimal string; false, with a fault
 * of the field `path`, if it is neither. */
bool decode_number(struct decode *decode, const json_t *value, const char *path, int64_t *id_out);

/* Decodes a merge patch (RFC 7396): `fields` is the object that contains the fields. `record`
 * begins as a copy of `before`, and the patch is applied to it. A null clears a field. A read-only
 * field may come with the value that it has. So may a text, even if it breaks a newer rule. */
void decode_patch(const struct record_type *type, const json_t *fields, struct decode *decode,
		  const void *before, void *record);

/* Adds a path to decode->ignored. */
void decode_ignore(struct buf *ignored, const char *path);

/* Writes the record as the API shows it: every field of the table that is not hidden, in its
 * order. */
void encode_record(const struct record_type *type, const void *record, struct buf *out);
/* The same without the braces around it. */
void encode_members(const struct record_type *type, const void *record, struct buf *out);
/* Compares two JSON forms of a record: `then` was written earlier, and `now` by this version of
 * docket. True: a member of `then` is missing or different in `now`. `name` is the first such
 * member. A member that only `now` has is no difference: docket did not know that field then. */
bool encoded_differs(struct slice then, struct slice now, char name[64]);
/* Writes what changed between two JSON forms of a record, as {"title": {"from": "a", "to": "b"}}.
 * If one of them is NULL, every member of the other is a change. A missing member counts as null.
 * The id and the times of creation and change are left out. */
void encode_changes(const json_t *before, const json_t *after, struct buf *out);
/* Writes the member `name`, which an expanded record has in addition to its own fields. Writes
 * nothing if the type has a field `name`. */
void encode_name(const struct record_type *type, const void *record, struct buf *out);

#endif
