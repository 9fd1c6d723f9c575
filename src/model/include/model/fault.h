/* SPDX-License-Identifier: MIT */
/* What is wrong with a request's fields: all of it, in the request's words. */
#ifndef MODEL_FAULT_H
#define MODEL_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The most that one answer lists. */
#define FAULTS_MAX 100

/* `code` in the answer, for programs; fault_code_name() has the words. */
enum fault_code {
	FAULT_REQUIRED,      /* required and missing, null or empty */
	FAULT_UNKNOWN_FIELD, /* no field or parameter of that name */
	FAULT_TYPE,          /* another JSON type */
	FAULT_FORMAT,        /* the type fits, its form does not: a date that is none */
	FAULT_RANGE,         /* a number out of its bounds */
	FAULT_BLANK,         /* only blanks */
	FAULT_TOO_LONG,      /* too many characters */
	FAULT_TOO_MANY,      /* too many entries */
	FAULT_CONTROL,       /* control characters */
	FAULT_CHOICE,        /* not one of the values there are */
	FAULT_READ_ONLY,     /* not for the client to set */
	FAULT_NOT_FOUND,     /* names a record that does not exist */
	FAULT_MISMATCH,      /* each exists, but they do not belong together */
	FAULT_REPEATED,      /* given more often than it may be */
	FAULT_TAKEN,         /* another record has it, and only one may */
	FAULT_NOT_ALLOWED,   /* not together with the rest of the record */
	FAULT_IN_USE,        /* not while other records depend on it; alone: 409 */
};

struct fault {
	const char *field; /* as `task.address.state`; never NULL */
	enum fault_code code;
	const char
		*message; /* reads on from the field's name: "must be a date such as 2023-02-14" */
	struct fault *next;
};

struct faults {
	struct arena *arena; /* owns every fault and its texts */
	struct fault *first;
	struct fault **last;
	size_t count; /* all there were, also those past FAULTS_MAX that are not kept */
	bool nomem;   /* memory ran out: the list is not whole */
};

void faults_init(struct faults *faults, struct arena *arena);

/* Adds one; `field` and the formatted message are copied. Equal ones are not joined. */
void faults_add(struct faults *faults, const char *field, enum fault_code code, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* "required", "unknown_field", … as it stands in the answer. */
const char *fault_code_name(enum fault_code code);

/* How soon a fault of that code is told where there is room for few: the least first. */
int fault_code_rank(enum fault_code code);

#endif
