/* SPDX-License-Identifier: MIT */
/* What a write of a staff member does in addition to what every write does. It makes sure that no
 * two user names of an account are the same or look alike. It also makes sure that somebody keeps
 * full access: otherwise nobody could use the account through the API. */
#include "base/text.h"
#include "model/staff.h"
#include "record_extra.h"
#include "store/state.h"

/* Another staff member of the account who has the user name, or one that looks like it. */
struct username_other {
	struct arena *arena;
	struct slice username, key;  /* the new name */
	int64_t self;                /* the staff member who gets the name; ID_NONE: a new one */
	const struct slice *present; /* the stored name, if the two look the same; or NULL */
	int64_t id;                  /* ID_NONE: there is none */
	struct slice other;
	bool same; /* same key; false: only looks alike */
};

/* Two ASCII names never count as alike: people can tell them apart. */
static bool may_look_alike(struct slice a, struct slice b)
{
	return text_ascii(a) < a.len || text_ascii(b) < b.len;
}

/* A name that already looks like another may stay so. */
static bool looks_alike(const struct username_other *other, struct slice username)
{
	return may_look_alike(other->username, username) &&
	       !(other->present && may_look_alike(*other->present, username));
}

static enum err username_other_row(void *context, const struct db_value *values, size_t count)
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

/* Lists the read of other staff members with the new user name of `staff`, or one that looks like
 * it. `before` is the stored staff member; NULL: a new one. */
static enum err username_read(struct store_write *write, const struct staff *staff,
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
	return calls_ask(calls, sql, username_other_row, other,
			 DB_INT_VALUE(write->scope.account_id), DB_TEXT_VALUE(key),
			 DB_TEXT_VALUE(skeleton));
}

/* This staff member gives up the key of its stored name. If only one other staff member has that
 * key, the other no longer has to type its name exactly. */
static enum err username_leave(struct store_write *write, const struct staff *before,
			       struct calls *calls)
{
	static const char sql[] =
		"UPDATE staff SET username_exact = '' WHERE account_id = $1 AND username_key = $2"
		" AND id <> $3 AND (SELECT count(*) FROM staff o WHERE o.account_id = $1"
		" AND o.username_key = $2 AND o.id <> $3) = 1";

	return calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(before->username_key), DB_INT_VALUE(before->record.id));
}

static void username_check(const struct username_other *other, struct faults *faults)
{
	static const char path[] = "staff.username";

	if (other->id == ID_NONE)
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

struct staff_facts {
	struct username_other *username; /* NULL: the user name does not change */
	int64_t others; /* the others with full access; read if this one loses it */
};

/* The new values; NULL: the staff member is deleted. */
static const struct staff *staff_after(const struct record_write *write)
{
	return write->action == RECORD_DELETE ? NULL : write->record;
}

/* `before` NULL: a new staff member; `after` NULL: it is deleted. */
static bool loses_full_access(const struct staff *before, const struct staff *after)
{
	return before && before->access_level == STAFF_FULL &&
	       !(after && after->access_level == STAFF_FULL);
}

static enum err staff_read(struct record_write *write, struct calls *calls)
{
	const struct staff *before = write->before, *after = staff_after(write);
	struct staff_facts *facts = arena_alloc(write->write.arena, sizeof(*facts));
	enum err err = OK;

	if (!facts)
		return ERR_NOMEM;
	write->extra = facts;
	if (loses_full_access(before, after))
		err = calls_ask(calls,
				"SELECT count(*) FROM staff WHERE account_id = $1 AND id <> $2"
				" AND access_level = $3",
				db_number, &facts->others,
				DB_INT_VALUE(write->write.scope.account_id),
				DB_INT_VALUE(write->id), DB_INT_VALUE(STAFF_FULL));
	if (!err && after && (write->given & field_bit(&staff_type, "username")) &&
	    !(before && slice_eq(before->username, after->username)))
		err = username_read(&write->write, after, before, calls, &facts->username);
	return err;
}

static void staff_check_change(struct record_write *write)
{
	const struct staff_facts *facts = write->extra;
	struct faults *faults = write->write.faults;

	if (facts->username)
		username_check(facts->username, faults);
	if (loses_full_access(write->before, staff_after(write)) && !facts->others)
		faults_add(faults, write->action == RECORD_DELETE ? "staff" : "staff.access_level",
			   FAULT_IN_USE, "%s the last staff member with full access",
			   write->action == RECORD_DELETE ? "is" : "cannot change: this is");
}

/* Calls username_leave() if the staff member shared the key of its user name with others, and is
 * deleted or gets another key. */
static enum err staff_finish(struct record_write *write, struct calls *calls)
{
	const struct staff *before = write->before, *after = staff_after(write);

	if (!before->username_exact.len || (after && after->username_exact.len))
		return OK;
	return username_leave(&write->write, before, calls);
}

const struct record_extra staff_extra = {.creates_alone = true,
					 .read = staff_read,
					 .check = staff_check_change,
					 .finish = staff_finish};
