/* SPDX-License-Identifier: MIT */
/* Collects everything that is wrong with a request, by the names of its fields. */
#ifndef MODEL_FAULT_H
#define MODEL_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* An answer lists at most so many. */
#define FAULTS_MAX 100

/* `code` in the answer, for programs; see fault_code_name(). */
enum fault_code {
	FAULT_REQUIRED,      /* required and missing, null or empty */
	FAULT_UNKNOWN_FIELD, /* no field or parameter of that name */
	FAULT_TYPE,          /* another JSON type */
	FAULT_FORMAT,        /* the right type in a wrong form, such as no date */
	FAULT_RANGE,         /* a number out of bounds */
	FAULT_BLANK,         /* only blanks */
	FAULT_TOO_LONG,      /* too many characters */
	FAULT_TOO_MANY,      /* too many entries */
	FAULT_CONTROL,       /* control characters */
	FAULT_CHOICE,        /* not one of the allowed values */
	FAULT_READ_ONLY,     /* the client must not set it */
	FAULT_NOT_FOUND,     /* names a record that does not exist */
	FAULT_MISMATCH,      /* both exist, but do not belong together */
	FAULT_REPEATED,      /* given too often */
	FAULT_TAKEN,         /* another record has this unique value */
	FAULT_NOT_ALLOWED,   /* not allowed together with other fields */
	FAULT_IN_USE,        /* other records depend on it; alone: 409 */
	FAULT_CODES,
};

struct fault {
	const char *field; /* such as "task.address.state"; never NULL */
	enum fault_code code;
	const char *message; /* continues the field's name: "must be a date such as 2023-02-14" */
	struct fault *next;
};

struct faults {
	struct arena *arena; /* owns every fault and its texts */
	struct fault *first;
	struct fault **last;
	size_t count; /* all, also those that are not kept */
	size_t most;  /* how many are kept */
	bool nomem;   /* memory ran out: the list is not complete */
};

void faults_init(struct faults *faults, struct arena *arena);

/* How many more faults are kept. A fault that is not kept needs no message. */
size_t faults_room(const struct faults *faults);

/* Adds a fault. Copies `field` and the formatted message. Equal faults are not joined. */
void faults_add(struct faults *faults, const char *field, enum fault_code code, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* The code in the answer: "required", "unknown_field", … */
const char *fault_code_name(enum fault_code code);

/* What is wrong with a field or parameter that has a fault of this code: "it is missing". */
const char *fault_code_help(enum fault_code code);

/* The order in which to list faults if there is room for a few only: the lowest first. */
int fault_code_rank(enum fault_code code);

#endif
