/* SPDX-License-Identifier: MIT */
/* Places in a list's order. */
#include "model/list.h"

#include "base/timefmt.h"

struct list_place list_place_of(const void *record, const struct field *sort)
{
	const void *at = CONST_FIELD_AT(record, sort);
	struct list_place place = {.id = ((const struct record *)record)->id};

	if (sort->type == FIELD_TEXT)
		place.text = *(const struct slice *)at;
	else if (sort->type == FIELD_DATE || sort->type == FIELD_CHOICE)
		place.integer = *(const int32_t *)at;
	else
		place.integer = *(const int64_t *)at;
	place.null = sort->type == FIELD_TIMESTAMP && place.integer == TIME_NONE;
	return place;
}
