/* SPDX-License-Identifier: MIT */
/* Calendars: groups of tasks, each with a colour. */
#ifndef MODEL_CALENDAR_H
#define MODEL_CALENDAR_H

#include "model/field.h"

struct calendar {
	struct record record;
	struct slice external_id;       /* "" when there is none */
	struct slice name, name_folded; /* as shown, and as sorted */
	struct slice color;             /* "#rrggbb", in lower case */
	struct slice description;
};

extern const struct record_type calendar_type;

#endif
