/* SPDX-License-Identifier: MIT */
/* Reads versions of records from the history. */
#include "records/versions_read.h"

#include "store/state.h"

static enum err version_row(void *context, const struct db_value *values, size_t count)
{
	struct versions_read *versions = context;
	const struct record_version *version = &versions->versions[versions->found];
	struct slice *value = &versions->values[versions->found];

	(void)count;
	if (versions->found++ == versions->count || values[1].integer != version->change ||
	    !slice_is(values[2].bytes, version->type->name) || values[3].integer != version->id)
		return ERR_CORRUPT;
	*value = (struct slice){arena_copy(versions->read.arena, values[0].bytes),
				values[0].bytes.len};
	return value->ptr ? OK : ERR_NOMEM;
}

static enum err versions_append(struct store_read *read, struct calls *calls)
{
	struct versions_read *versions = (struct versions_read *)(void *)read;
	struct buf changes = {0};
	const char *copy;

	versions->found = 0;
	versions->values = arena_alloc(read->arena, versions->count * sizeof(versions->values[0]));
	for (size_t i = 0; i < versions->count; i++) {
		buf_add_char(&changes, i ? ',' : '[');
		buf_add_int(&changes, versions->versions[i].change);
	}
	buf_add_char(&changes, ']');
	copy = changes.failed ? NULL : arena_copy(read->arena, buf_slice(&changes));
	buf_release(&changes);
	return copy && versions->values
		       ? calls_ask(calls, read->store->sql.read_values, version_row, versions,
				   DB_INT_VALUE(versions->scope.account_id),
				   DB_TEXT_VALUE(slice_of(copy)))
		       : ERR_NOMEM;
}

void versions_read_init(struct versions_read *versions, struct arena *arena)
{
	*versions = (struct versions_read){.read = {.arena = arena,
						    .job = {.group = GROUP_HISTORY},
						    .append = versions_append}};
}
