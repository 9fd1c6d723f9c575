/* SPDX-License-Identifier: MIT */
/* The row types that describe a record: one row per field. The rows feed decoding, validation,
 * encoding, the select lists and the inserts; nothing else in docket lists a record's fields. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "model/fault.h"

#define ID_NONE 0 /* no record: null in JSON and in the database */

/* What a field is in JSON, and the C type at its offset. */
enum field_type {
	FIELD_ID,        /* positive integer or null; int64_t, ID_NONE is null */
	FIELD_CHOICE,    /* one of `choices`; int32_t, the index, which is also what is stored */
	FIELD_BOOL,      /* true or false; int32_t, 1 or 0 */
	FIELD_DATE,      /* "YYYY-MM-DD" or null; int32_t, base/timefmt.h, DATE_NONE is null */
	FIELD_TIMESTAMP, /* "YYYY-MM-DDTHH:MM:SSZ" or null; int64_t, TIME_NONE is null */
	FIELD_TEXT,      /* string; struct slice, "" when empty; see FIELD_NULL */
	FIELD_ADDRESS,   /* the address object or null; struct address *, NULL is null */
	FIELD_ID_LIST,   /* array of positive integers; struct id_list, ascending, none twice */
	FIELD_TYPES,
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,    /* must be given when a record is created, and not be emptied */
	FIELD_READ_ONLY = 1 << 1,   /* set by docket alone */
	FIELD_HIDDEN = 1 << 2,      /* stored, not part of the API */
	FIELD_ONE_LINE = 1 << 3,    /* no control characters */
	FIELD_NOT_BLANK = 1 << 4,   /* more than white space, when not empty */
	FIELD_ALWAYS = 1 << 5,      /* a time or date that every record has */
	FIELD_SEARCHED = 1 << 6,    /* a folded text whose trigrams are indexed */
	FIELD_ALERT = 1 << 7,       /* a bare date means the account's alert hour of that day */
	FIELD_UNIQUE = 1 << 8,      /* a text that only one record of its kind may have */
	FIELD_NULL = 1 << 9,        /* a text that is null when it is empty */
	FIELD_BY_ACCOUNT = 1 << 10, /* required only where the account requires a case */
};

struct id_list {
	int64_t *ids;
	size_t *positions; /* where each stood in the request; NULL for a list that came of none */
	size_t count;
};

/* The table behind a FIELD_ID_LIST: (account_id, owner, member, copies). */
struct field_link {
	const char *table;
	const char *owner;
	const char *member;
	const char
		*copies[3]; /* columns of the record that stand in the table as well, NULL last */
	const char *empty;  /* column of the record that is 1 where the list is empty; or NULL */
};

struct field {
	const char *name;   /* JSON key */
	const char *column; /* NULL for a FIELD_ID_LIST; the prefix for a FIELD_ADDRESS */
	enum field_type type;
	unsigned flags;             /* of enum field_flag */
	size_t offset;              /* in the record's struct */
	size_t limit;               /* characters of a text, entries of a list; 0: none */
	const char *const *choices; /* NULL-terminated */
	const struct field_link *link;
	const char *help; /* for the generated reference */
};

/* Every record's struct begins with one. */
struct record {
	int64_t id;     /* rising per account and kind, never used again */
	int64_t change; /* the number of its last change: its version */
	int64_t created_at;
	int64_t updated_at;
};

/* The rows that the table of every record begins and ends with; its struct has an `external_id`. */
/* clang-format off */
#define RECORD_ID \
	{.name = "id", .column = "id", .type = FIELD_ID, .flags = FIELD_READ_ONLY, \
	 .offset = offsetof(struct record, id), .help = "its number"}
#define RECORD_TIMES(record_struct) \
	{.name = "external_id", .column = "external_id", .type = FIELD_TEXT, .limit = 255, \
	 .flags = FIELD_NULL | FIELD_UNIQUE | FIELD_NOT_BLANK | FIELD_ONE_LINE, \
	 .offset = offsetof(record_struct, external_id), .help = "the caller's own key for it"}, \
	{.name = "created_at", .column = "created_at", .type = FIELD_TIMESTAMP, \
	 .flags = FIELD_READ_ONLY | FIELD_ALWAYS, .offset = offsetof(struct record, created_at), \
	 .help = "when it was created"}, \
	{.name = "updated_at", .column = "updated_at", .type = FIELD_TIMESTAMP, \
	 .flags = FIELD_READ_ONLY | FIELD_ALWAYS, .offset = offsetof(struct record, updated_at), \
	 .help = "when it was last changed"}
/* clang-format on */

struct record_lists;
struct arena;

/* When a record is written, and where: what follows from that. */
struct occasion {
	struct arena *arena; /* for what is made of its texts */
	int64_t now;
	const char *time_zone; /* of the account */
};

struct record_type {
	const char *name; /* in the history and as the wrapper of a request */
	const char *noun; /* "case service" and so on, for messages */
	const char *table;
	const char *sequence; /* the column of the account row with the last id given */
	size_t size;          /* of the struct */
	const struct field *fields;
	size_t field_count; /* at most 64: fields given are a bit set */
	/* The texts that name a record to people: the first two, joined by a blank, or where both
	 * are empty the third. NULL where a field `name` does. */
	const char *name_fields[3];
	const struct record_lists *lists; /* NULL: it is not listed */
	/* What is wrong with a record as it is to be, beyond what the rows say; `before` is as it
	 * is, NULL for a new one. Sets of fields by field_bit(): `given` came with a value that is
	 * fine in itself, `at_fault` is wrong already and is not judged again. NULL: nothing. What
	 * a record names, and whether that is there, is in records/references.c. */
	void (*check)(const void *record, const void *before, uint64_t given, uint64_t at_fault,
		      struct faults *faults);
	/* Fills in what follows from the rest. */
	enum err (*derive)(void *record, const void *before, const struct occasion *occasion);
};

/* The part names of an address, in the order of the API, with their offsets in struct address;
 * rows of type FIELD_TEXT. Columns are the field's prefix before the part's column. */
#define ADDRESS_PARTS 7
extern const struct field address_parts[ADDRESS_PARTS];

/* Sets one field of a record to its empty value, or to what it is in another one. */
void field_clear(const struct field *field, void *record);
void field_copy(const struct field *field, const void *from, void *to);

/* Whether a field has the same value in two records. */
bool field_is_same(const struct field *field, const void *record, const void *other);

/* Whether the API shows two records as the same: hidden fields are not compared. */
bool record_is_same(const struct record_type *type, const void *record, const void *other);

/* Sets every field to its empty value. */
void record_clear(const struct record_type *type, void *record);

#define FIELD_AT(record, field) ((void *)((char *)(record) + (field)->offset))
#define CONST_FIELD_AT(record, field) ((const void *)((const char *)(record) + (field)->offset))
#define FIELD_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

/* The row of that name that is part of the API, or NULL. */
const struct field *field_find(const struct field *fields, size_t count, struct slice name);

/* The row of that name, hidden ones too; it must be there. */
const struct field *field_of(const struct record_type *type, const char *name);

/* The bit of `name` in a set of given fields; `name` must be one of the type's fields. */
uint64_t field_bit(const struct record_type *type, const char *name);

/* The API field that somebody who wrote `name` may have meant, by text_nearest(); or NULL. */
const char *field_nearest(const struct field *fields, size_t count, struct slice name);

/* Checks one text against its row: required, blank, control characters, length. True when it is
 * fine; else one fault under `path`. */
bool field_check_text(const struct field *field, struct slice text, const char *path,
		      struct faults *faults);

#endif
