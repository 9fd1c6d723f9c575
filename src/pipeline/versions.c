/* SPDX-License-Identifier: MIT */
/* Entity tags (RFC 9110, sections 8.8.3 and 13.1): "1-7" is change 7 of a record. A proxy that
 * compresses answers changes the tag: nginx makes it weak (W/"1-7"), Apache appends to it
 * ("1-7-gzip"). Both still name change 7, and a record in that version is the same record, so they
 * match here as "1-7" does, also for If-Match. */
#include <errno.h>
#include <stdlib.h>

#include "base/digest.h"
#include "pipeline_private.h"
#include "records/records.h"

#define COMPRESSED "-gzip" /* what Apache's mod_deflate appends */

#define TAG_FORM_BYTES 32

/* What a tag has before the change number. */
static void tag_form(const struct call *call, char form[TAG_FORM_BYTES])
{
	if (call->era)
		snprintf(form, TAG_FORM_BYTES, TAG_FORM "%lld-", (long long)call->era);
	else
		snprintf(form, TAG_FORM_BYTES, TAG_FORM);
}

int64_t position_of(const struct call *call, int64_t change)
{
	return change ? call->era * ERA_CHANGES + change : 0;
}

bool position_read(struct call *call, int64_t position, int64_t *change_out)
{
	int64_t era = call->era;

	/* Without an era every number is a change number, as it was before there were eras. */
	if (!position || !era || position / ERA_CHANGES == era) {
		*change_out = era ? position % ERA_CHANGES : position;
		return true;
	}
	problem(call, PROBLEM_RESTORED, "%s", problem_rows[PROBLEM_RESTORED].detail);
	return false;
}

const unsigned char *cursor_key(struct call *call)
{
	const unsigned char *secret = call->app->cursor_secret;
	struct digest digest;

	_Static_assert(SECRET_BYTES == DIGEST_BYTES, "a key is a digest");
	/* As it was before there were eras. */
	if (!call->era)
		return secret;
	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)secret, SECRET_BYTES});
	digest_add_int(&digest, call->era);
	digest_final(&digest, call->cursor_key);
	return call->cursor_key;
}

char *version_tag(struct call *call, int64_t change)
{
	char form[TAG_FORM_BYTES];

	tag_form(call, form);
	return arena_printf(&call->http->arena, "\"%s%lld\"", form, (long long)change);
}

/* The change that a tag names; 0: the tag is not of docket's form, or of another era. */
static int64_t tag_change(const char *form, struct slice tag)
{
	const size_t front = strlen(form), back = strlen(COMPRESSED);
	long long change;

	if (tag.len > back && memcmp(tag.ptr + tag.len - back, COMPRESSED, back) == 0)
		tag.len -= back;
	if (tag.len <= front || memcmp(tag.ptr, form, front) != 0 || tag.ptr[front] == '0' ||
	    strspn(tag.ptr + front, "0123456789") != tag.len - front)
		return 0;
	errno = 0;
	change = strtoll(tag.ptr + front, NULL, 10);
	return errno ? 0 : change;
}

static const char *list_skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Skips empty elements of the list as well (RFC 9110, section 5.6.1). */
static const char *list_skip_commas(const char *at)
{
	return at + strspn(at, " \t,");
}

/* Reads one tag, weak or strong, and the comma after it. NULL: there is no tag. */
static const char *list_read_tag(const char *form, const char *at, int64_t *change_out)
{
	const char *first = at + (strncmp(at, "W/", 2) == 0 ? 2 : 0) + 1, *end;

	if (first[-1] != '"')
		return NULL;
	end = strchr(first, '"');
	if (!end)
		return NULL;
	*change_out = tag_change(form, (struct slice){first, (size_t)(end - first)});
	at = list_skip_blanks(end + 1);
	return *at == ',' ? list_skip_commas(at) : *at ? NULL : at;
}

bool versions_read(struct call *call, const char *name, struct versions *versions)
{
	char form[TAG_FORM_BYTES];
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
	tag_form(call, form);
	at = list_skip_commas(list.ptr);
	versions->any = *at == '*' && !*list_skip_blanks(at + 1);
	versions->changes = changes;
	if (versions->any)
		return true;
	while (at && *at)
		at = list_read_tag(form, at, &changes[versions->count++]);
	if (at && versions->count)
		return true;
	problem(call, PROBLEM_MALFORMED_HEADER,
		"the header %s must be * or a list of entity tags such as \"1-7\"", name);
	return false;
}
