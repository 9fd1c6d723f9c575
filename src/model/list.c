/* SPDX-License-Identifier: MIT */
/* Expansions, and positions in the order of a list. */
#include "model/list.h"

#include "base/timefmt.h"

bool expansions_read(const struct record_lists *lists, struct slice names, uint32_t *bits_out)
{
	uint32_t bits = 0;

	while (names.len) {
		const char *comma = memchr(names.ptr, ',', names.len);
		struct slice name = {names.ptr, comma ? (size_t)(comma - names.ptr) : names.len};
		size_t row = 0;

		for (; row < lists->expansion_count; row++) {
			const char *known = lists->expansions[row].name;

			if (known && slice_is(name, known))
				break;
		}
		if (row == lists->expansion_count || (comma && name.len + 1 == names.len))
			return false;
		bits |= UINT32_C(1) << row;
		names.len -= name.len + (comma ? 1 : 0);
		names.ptr += name.len + (comma ? 1 : 0);
	}
	*bits_out = bits;
	return true;
}

struct list_position list_position_of(const void *record, const struct field *sort)
{
	const void *at = CONST_FIELD_AT(record, sort);
	struct list_position position = {.id = ((const struct record *)record)->id};

	if (sort->type == FIELD_TEXT)
		position.text = *(const struct slice *)at;
	else if (sort->type == FIELD_DATE || sort->type == FIELD_CHOICE || sort->type == FIELD_BOOL)
		position.integer = *(const int32_t *)at;
	else
		position.integer = *(const int64_t *)at;
	position.null = (sort->type == FIELD_TIMESTAMP && position.integer == TIME_NONE) ||
			(sort->type == FIELD_DATE && position.integer == DATE_NONE);
	return position;
}
