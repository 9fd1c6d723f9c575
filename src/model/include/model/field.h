/* SPDX-License-Identifier: MIT */
/* The types of the rows that describe a record: one row for each field. Decoding, validation,
 * encoding and the SQL statements read these rows; nothing else in docket lists a record's
 * fields. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "model/fault.h"

#define ID_NONE 0 /* no record: null in JSON and in the database */

/* The type of a field in JSON; the C type at its offset. */
enum field_type {
	FIELD_ID,        /* positive integer or null; int64_t, ID_NONE is null */
	FIELD_CHOICE,    /* one of `choices`; int32_t, its index, which is stored */
	FIELD_BOOL,      /* true or false; int32_t, 1 or 0 */
	FIELD_DATE,      /* "YYYY-MM-DD" or null; int32_t, base/timefmt.h, DATE_NONE is null */
	FIELD_TIMESTAMP, /* "YYYY-MM-DDTHH:MM:SSZ" or null; int64_t, TIME_NONE is null */
	FIELD_TEXT,      /* string; struct slice, "" when empty; see FIELD_NULL */
	FIELD_ADDRESS,   /* the address object or null; struct address *, NULL is null */
	FIELD_ID_LIST,   /* array of positive integers; struct id_list, ascending, none twice */
	FIELD_TYPES,
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,    /* must be given in a create, and never be empty */
	FIELD_READ_ONLY = 1 << 1,   /* set by docket alone */
	FIELD_HIDDEN = 1 << 2,      /* stored, not part of the API */
	FIELD_ONE_LINE = 1 << 3,    /* no control characters */
	FIELD_NOT_BLANK = 1 << 4,   /* not only white space */
	FIELD_ALWAYS = 1 << 5,      /* a time or date that every record has */
	FIELD_SEARCHED = 1 << 6,    /* a folded text whose trigrams are indexed */
	FIELD_ALERT = 1 << 7,       /* a bare date means the account's alert hour of that day */
	FIELD_UNIQUE = 1 << 8,      /* a text that only one record of its kind may have */
	FIELD_NULL = 1 << 9,        /* a text that is null when it is empty */
	FIELD_BY_ACCOUNT = 1 << 10, /* required only if the account requires a case */
};

struct id_list {
	int64_t *ids;
	size_t *positions; /* the index of each in the request; NULL: not from one */
	size_t count;
};

/* NULL is an empty list. */
bool id_list_has(const struct id_list *list, int64_t id);

/* The table behind a FIELD_ID_LIST: (account_id, owner, member, copies). */
struct field_link {
	const char *table;
	const char *owner;
	const char *member;
	const char *copies[3]; /* columns of the record that the table copies; ends with NULL */
	const char *empty;     /* column of the record that is 1 if the list is empty; or NULL */
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
	/* For the description of the API: what the field is; what a create without it stores, if
	 * that is not the empty value of its type or the first choice; a value, in JSON. */
	const char *help, *preset, *example;
};

/* Every record's struct begins with one. */
struct record {
	int64_t id;     /* counted by account and kind, never used again */
	int64_t change; /* the number of its last change: its version */
	int64_t created_at;
	int64_t updated_at;
};

/* The first rows and the last rows of every record's table. The struct must have an
 * `external_id`. */
/* clang-format off */
#define RECORD_ID \
	{.name = "id", .column = "id", .type = FIELD_ID, .flags = FIELD_READ_ONLY, \
	 .offset = offsetof(struct record, id), .example = "1", \
	 .help = "the number of the record, which docket never uses again"}
#define RECORD_TIMES(record_struct) \
	{.name = "external_id", .column = "external_id", .type = FIELD_TEXT, .limit = 255, \
	 .flags = FIELD_NULL | FIELD_UNIQUE | FIELD_NOT_BLANK | FIELD_ONE_LINE, \
	 .offset = offsetof(record_struct, external_id), .example = "\"A-17\"", \
	 .help = "your own key for the record; no two records of a kind have the same"}, \
	{.name = "created_at", .column = "created_at", .type = FIELD_TIMESTAMP, \
	 .flags = FIELD_READ_ONLY | FIELD_ALWAYS, .offset = offsetof(struct record, created_at), \
	 .example = "\"2027-01-31T09:30:00Z\"", .help = "when the record was created"}, \
	{.name = "updated_at", .column = "updated_at", .type = FIELD_TIMESTAMP, \
	 .flags = FIELD_READ_ONLY | FIELD_ALWAYS, .offset = offsetof(struct record, updated_at), \
	 .example = "\"2027-01-31T09:30:00Z\"", .help = "when the record was last changed"}
/* clang-format on */

struct record_lists;
struct arena;

/* The circumstances of a write, for record_type.derive(). */
struct occasion {
	struct arena *arena; /* for new texts */
	int64_t now;
	const char *time_zone; /* of the account */
	struct faults *faults;
};

struct record_type {
	const char *name; /* "task" and so on, in the history and in {"task": {…}} */
	const char *noun; /* "case service" and so on, for messages */
	const char *table;
	const char *sequence; /* the column of account_state that has the last id */
	size_t size;          /* of the struct */
	const struct field *fields;
	size_t field_count; /* at most 64, because sets of fields are bits */
	/* The fields that name a record for people: the first two, joined by a blank; if both are
	 * empty, the third. All NULL: the field `name`. */
	const char *name_fields[3];
	const struct record_lists *lists; /* NULL: there are no lists of it */
	/* Adds faults for rules that the rows do not have; NULL: there are none. `record` is the
	 * new record, `before` the stored one, NULL for a create. Sets of fields, by field_bit():
	 * those in `given` have a value that is right by itself; those in `at_fault` have a fault
	 * already and are not checked again. records/references.c checks the records that a record
	 * names. */
	void (*check)(const void *record, const void *before, uint64_t given, uint64_t at_fault,
		      struct faults *faults);
	/* Fills in the fields that are derived from others. Adds a fault if one cannot be. */
	enum err (*derive)(void *record, const void *before, const struct occasion *occasion);
};

/* The parts of an address, in the order of the API: rows of type FIELD_TEXT with offsets in struct
 * address. The name of a column is the prefix of the address field and the column of the part. */
#define ADDRESS_PARTS 7
extern const struct field address_parts[ADDRESS_PARTS];

/* Sets a field of a record to its empty value, or to its value in another record. */
void field_clear(const struct field *field, void *record);
void field_copy(const struct field *field, const void *from, void *to);

/* Whether a field has the same value in two records. */
bool field_is_same(const struct field *field, const void *record, const void *other);

/* Whether two records are the same in the API: hidden fields are not compared. */
bool record_is_same(const struct record_type *type, const void *record, const void *other);

/* Sets every field to its empty value. */
void record_clear(const struct record_type *type, void *record);

#define FIELD_AT(record, field) ((void *)((char *)(record) + (field)->offset))
#define CONST_FIELD_AT(record, field) ((const void *)((const char *)(record) + (field)->offset))
#define FIELD_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

/* The row of a field of the API; NULL: there is none of that name. */
const struct field *field_find(const struct field *fields, size_t count, struct slice name);

/* The row of a field, which may be hidden. It must exist. */
const struct field *field_of(const struct record_type *type, const char *name);

/* The bit of a field in a set of fields. The field must exist. */
uint64_t field_bit(const struct record_type *type, const char *name);

/* The field of the API that the client probably meant by `name`; see text_nearest(). NULL: no
 * guess. */
const char *field_nearest(const struct field *fields, size_t count, struct slice name);

/* Checks a text against its row: required, blank, control characters, length. False: it has added
 * faults for `path`. */
bool field_check_text(const struct field *field, struct slice text, const char *path,
		      struct faults *faults);

#endif
