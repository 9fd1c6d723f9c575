/* SPDX-License-Identifier: MIT */
/* Of the user names of an account no two are the same, nor look alike. */
#include "records/usernames.h"

#include "base/text.h"

/* Another staff member of the account whose user name is in the way. */
struct username_other {
	struct arena *arena;
	struct slice username, key;  /* that is to be */
	int64_t self;                /* whose name it is to be; ID_NONE: a new one's */
	const struct slice *present; /* its name now, if only its case changes, or NULL */
	int64_t id;                  /* ID_NONE: there is none */
	struct slice other;
	bool same; /* not only alike */
};

/* Two names of ASCII alone never count as alike: people are used to telling those apart. */
static bool may_look_alike(struct slice a, struct slice b)
{
	return text_ascii(a) < a.len || text_ascii(b) < b.len;
}

/* Names that look alike already may: nothing gets worse. */
static bool looks_alike(const struct username_other *other, struct slice username)
{
	return may_look_alike(other->username, username) &&
	       !(other->present && may_look_alike(*other->present, username));
}

static enum err other_row(void *context, const struct db_value *values, size_t count)
{
	struct username_other *other = context;
	bool same = slice_eq(values[2].bytes, other->key);
	const char *copy;

	(void)count;
	if (values[0].integer == other->self || other->same || (other->id != ID_NONE && !same) ||
	    !(same || looks_alike(other, values[1].bytes)))
		return OK;
	copy = arena_copy(other->arena, values[1].bytes);
	other->other = (struct slice){copy, values[1].bytes.len};
	other->id = values[0].integer;
	other->same = same;
	return copy ? OK : ERR_NOMEM;
}

enum err username_read(struct store_write *write, const struct staff *staff,
		       const struct staff *before, struct calls *calls,
		       struct username_other **other_out)
{
	static const char sql[] = "SELECT id, username, username_key FROM staff"
				  " WHERE account_id = $1 AND (username_key = $2"
				  " OR username_skeleton = $3) ORDER BY id";
	struct arena *arena = write->arena;
	struct username_other *other = arena_alloc(arena, sizeof(*other));
	struct slice key, skeleton;
	enum err err = staff_username_key(arena, staff->username, &key);

	if (!err)
		err = text_skeleton(arena, staff->username, &skeleton);
	if (err || !other)
		return err ? err : ERR_NOMEM;
	*other = (struct username_other){.arena = arena,
					 .username = staff->username,
					 .key = key,
					 .self = before ? before->record.id : ID_NONE};
	if (before && slice_eq(before->username_key, key) &&
	    slice_eq(before->username_skeleton, skeleton))
		other->present = &before->username;
	*other_out = other;
	return calls_ask(calls, sql, other_row, other, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(key), DB_TEXT_VALUE(skeleton));
}

enum err username_leave(struct store_write *write, const struct staff *before, struct calls *calls)
{
	static const char sql[] =
		"UPDATE staff SET username_exact = '' WHERE account_id = $1 AND username_key = $2"
		" AND id <> $3 AND (SELECT count(*) FROM staff o WHERE o.account_id = $1"
		" AND o.username_key = $2 AND o.id <> $3) = 1";

	return calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(before->username_key), DB_INT_VALUE(before->record.id));
}

void username_check(const struct username_other *other, struct faults *faults)
{
	static const char path[] = "staff.username";

	if (!other || other->id == ID_NONE)
		return;
	if (!other->same)
		faults_add(faults, path, FAULT_TAKEN,
			   "looks like \"%.*s\", the name of staff member %lld",
			   (int)other->other.len, other->other.ptr, (long long)other->id);
	else if (slice_eq(other->other, other->username))
		faults_add(faults, path, FAULT_TAKEN, "is already used by staff member %lld",
			   (long long)other->id);
	else
		faults_add(faults, path, FAULT_TAKEN,
			   "is already used by staff member %lld as \"%.*s\": case, blanks at "
			   "the ends and how accents are written make no difference",
			   (long long)other->id, (int)other->other.len, other->other.ptr);
}
