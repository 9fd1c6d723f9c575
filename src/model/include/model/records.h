/* SPDX-License-Identifier: MIT */
/* All kinds of records. A new kind is a row here and in records.c. */
#ifndef MODEL_RECORDS_H
#define MODEL_RECORDS_H

#include "model/field.h"

enum record_kind {
	RECORD_STAFF,
	RECORD_CALENDAR,
	RECORD_CASE_SERVICE,
	RECORD_CASEFILE,
	RECORD_SUBJECT,
	RECORD_TASK,
	RECORD_KINDS,
};

extern const struct record_type *const record_types[RECORD_KINDS];

#endif
