/* SPDX-License-Identifier: MIT */
/* Entity tags (RFC 9110, sections 8.8.3 and 13.1): "1-7" is change 7 of a record. */
#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"

/* A tag of docket's form that names a change; any other names none, as 0. */
static int64_t change_of(struct slice tag)
{
	const size_t front = strlen(TAG_FORM);
	long long change;

	if (tag.len <= front || memcmp(tag.ptr, TAG_FORM, front) != 0 || tag.ptr[front] == '0' ||
	    strspn(tag.ptr + front, "0123456789") != tag.len - front)
		return 0;
	errno = 0;
	change = strtoll(tag.ptr + front, NULL, 10);
	return errno ? 0 : change;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Elements of a list may be empty (RFC 9110, section 5.6.1). */
static const char *skip_commas(const char *at)
{
	return at + strspn(at, " \t,");
}

/* One tag and the comma behind it; NULL where there is none. `strong`: one that is weak names none.
 */
static const char *read_tag(const char *at, bool strong, int64_t *change_out)
{
	bool weak = strncmp(at, "W/", 2) == 0;
	const char *first = at + (weak ? 2 : 0) + 1, *end;

	if (first[-1] != '"')
		return NULL;
	end = strchr(first, '"');
	if (!end)
		return NULL;
	*change_out = weak && strong ? 0 : change_of((struct slice){first, (size_t)(end - first)});
	at = skip_blanks(end + 1);
	return *at == ',' ? skip_commas(at) : *at ? NULL : at;
}

bool versions_read(struct call *call, const char *name, struct versions *versions)
{
	bool strong = strcmp(name, "If-Match") == 0;
	struct slice list;
	int64_t *changes;
	const char *at;

	*versions = (struct versions){.given = http_header(call->http, name).ptr != NULL};
	if (!versions->given)
		return true;
	if (http_header_list(call->http, name, &list)) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	changes = arena_alloc(&call->http->arena, (list.len / 2 + 1) * sizeof(*changes));
	if (!changes) {
		problem_err(call, ERR_NOMEM);
		return false;
	}
	at = skip_commas(list.ptr);
	versions->any = *at == '*' && !*skip_blanks(at + 1);
	versions->changes = changes;
	if (versions->any)
		return true;
	while (at && *at)
		at = read_tag(at, strong, &changes[versions->count++]);
	if (at && versions->count)
		return true;
	problem(call, 400, "the header %s must be * or a list of entity tags as \"1-7\"", name);
	return false;
}
