/* SPDX-License-Identifier: MIT */
/* Compares a record as it was once written with what it is now. */
#include <stdio.h>

#include "codec/codec.h"

bool encoded_differs(struct slice then, struct slice now, char name[64])
{
	json_t *before, *after, *value;
	const char *key, *first = NULL;

	/* Nearly always the same bytes. */
	if (slice_eq(then, now))
		return false;
	before = json_loadb(then.ptr ? then.ptr : "", then.len, JSON_REJECT_DUPLICATES, NULL);
	after = json_loadb(now.ptr ? now.ptr : "", now.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(before) || !json_is_object(after))
		first = "all of it";
	else
		json_object_foreach (before, key, value) {
			if (first || json_equal(value, json_object_get(after, key)))
				continue;
			first = key;
		}
	if (first)
		snprintf(name, 64, "%s", first);
	json_decref(before);
	json_decref(after);
	return first;
}
