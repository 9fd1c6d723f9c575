/* SPDX-License-Identifier: MIT */
/* Calendars: groups of tasks, each with a colour. */
#ifndef MODEL_CALENDAR_H
#define MODEL_CALENDAR_H

#include "model/field.h"

struct calendar {
	struct record record;
	struct slice name;
	struct slice color; /* as #rrggbb */
};

extern const struct record_type calendar_type;

#endif
