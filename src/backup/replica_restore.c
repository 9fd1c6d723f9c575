/* SPDX-License-Identifier: MIT */
/* Writes the database of a moment: the full copy of a generation, and the changes of the commits
 * after it. */
#include "backup/replica_restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "place/era.h"
#include "replica/image.h"
#include "replica/read.h"
#include "sql/dialect.h"

struct restoring {
	const struct replica_until *until;
	struct replica_report *report;
	struct db *db; /* NULL: nothing is written */
	int64_t account_id;
	bool in_reach;                 /* a commit after the wanted moment was seen */
	const struct generation *next; /* after the one that is read; NULL: none has a manifest */
	bool continues;                /* the one that is read has the state with which it begins */
	struct buf *why;
};

static enum err restoring_fail(const struct restoring *restoring, enum err err, const char *what)
{
	buf_printf(restoring->why, "cannot %s: %s: %s", what, err_text(err),
		   restoring->db->driver->message(restoring->db));
	return err;
}

static enum err account_row(void *context, const struct db_value *values, size_t count)
{
	struct restoring *restoring = context;

	if (count > 1 && values[1].type == DB_TEXT &&
	    slice_eq(values[1].bytes, slice_of(restoring->until->account)))
		restoring->account_id = values[0].integer;
	return OK;
}

/* The account may be made by a commit after the full copy. */
static enum err commit_find_account(struct restoring *restoring, const struct frame_commit *commit)
{
	enum err err =
		sqlite_driver.read_changes(commit->changes, "account", account_row, restoring);

	if (err)
		buf_printf(restoring->why, "cannot read the changes of commit %lld: %s",
			   (long long)commit->number, err_text(err));
	/* ERR_CORRUPT means here that the full copy is damaged. */
	return err == ERR_CORRUPT ? ERR_INTERNAL : err;
}

/* Whether the commit is behind the wanted moment. */
static bool commit_is_later(struct restoring *restoring, const struct frame_commit *commit)
{
	const struct replica_until *until = restoring->until;
	int64_t change;

	if (until->kind == REPLICA_TIME)
		return commit->at > until->at;
	if (until->kind != REPLICA_CHANGE || restoring->account_id == 0 ||
	    !commit_account(commit, restoring->account_id, &change))
		return false;
	if (change > until->change)
		return true;
	restoring->report->last_change = change;
	return false;
}

static enum err commit_apply(struct restoring *restoring, const struct frame_commit *commit)
{
	struct db *db = restoring->db;
	const struct db_driver *driver = db->driver;
	enum err err = driver->begin(db);

	if (!err)
		err = driver->apply(db, commit->changes);
	if (!err)
		err = driver->commit(db, NULL, 0);
	if (!err)
		return OK;
	buf_printf(restoring->why, "cannot repeat the changes of commit %lld: %s: %s",
		   (long long)commit->number, err_text(err), driver->message(db));
	driver->rollback(db);
	/* ERR_STOPPED and damage have a meaning of their own here. */
	return ERR_INTERNAL;
}

/* The restored database must not give out ids of this commit again, which it does not have. */
static enum err commit_raise_ids(struct restoring *restoring, const struct frame_commit *commit)
{
	if (!restoring->db)
		return ERR_STOPPED;
	return era_raise_ids(restoring->db, commit->changes)
		       ? restoring_fail(restoring, ERR_INTERNAL, "read the ids of a later commit")
		       : OK;
}

static enum err restore_commit(void *context, const struct frame_commit *commit)
{
	struct restoring *restoring = context;
	bool by_account = restoring->until->kind == REPLICA_CHANGE;
	int64_t change = 0;
	enum err err = OK;

	restoring->continues |=
		restoring->next && slice_eq(commit->mark, slice_of(restoring->next->manifest.mark));
	restoring->in_reach = restoring->in_reach || commit_is_later(restoring, commit);
	if (restoring->in_reach)
		return commit_raise_ids(restoring, commit);
	if (restoring->db)
		err = commit_apply(restoring, commit);
	if (!err && by_account && !restoring->account_id)
		err = commit_find_account(restoring, commit);
	if (err)
		return err;
	if (by_account && commit_account(commit, restoring->account_id, &change))
		restoring->report->last_change = change;
	restoring->report->commits++;
	restoring->report->at = commit->at;
	return OK;
}

/* The newest generation that begins early enough; -1: none does. An account that is not in a full
 * copy may have been made after it. */
static ptrdiff_t generation_choose(const struct generations *all, const struct replica_until *until)
{
	ptrdiff_t without = -1;

	for (ptrdiff_t i = (ptrdiff_t)all->count - 1; i >= 0; i--) {
		const struct generation *generation = &all->list[i];
		int64_t change, id;

		if (generation->damage[0])
			continue;
		if (until->kind == REPLICA_END ||
		    (until->kind == REPLICA_TIME && generation->manifest.at <= until->at))
			return i;
		if (until->kind != REPLICA_CHANGE)
			continue;
		if (!manifest_account(&generation->manifest, until->account, &id, &change))
			without = without < 0 ? i : without;
		else if (change <= until->change)
			return i;
	}
	return without;
}

static enum err choose_fail(const char *dir, const struct generations *all,
			    const struct replica_until *until, struct buf *why)
{
	const struct generation *oldest = NULL;
	char time[TIMESTAMP_LEN];

	for (size_t i = 0; i < all->count && !oldest; i++)
		if (!all->list[i].damage[0])
			oldest = &all->list[i];
	if (!all->count) {
		buf_printf(why, "%s has no complete generation of a replica", dir);
	} else if (!oldest) {
		buf_printf(why, "no manifest in %s can be used: %s", dir, all->list[0].damage);
		return ERR_CORRUPT;
	} else if (until->kind == REPLICA_TIME) {
		timestamp_write(oldest->manifest.at, time);
		buf_printf(why, "the replica in %s begins later, at %.*s", dir, TIMESTAMP_LEN,
			   time);
	} else {
		buf_printf(why, "the replica in %s begins after change %lld of the account \"%s\"",
			   dir, (long long)until->change, until->account);
	}
	return ERR_NOT_FOUND;
}

/* Runs a script of the database, without foreign keys. */
static enum err restoring_script(struct restoring *restoring, const char *sql, const char *what)
{
	enum err err = restoring->db->driver->script(restoring->db, sql);

	return err ? restoring_fail(restoring, err, what) : OK;
}

/* Opens the copy. The rows of a commit are applied table by table, so a row may come before the one
 * that it refers to. */
static enum err restoring_open(struct restoring *restoring, const char *path)
{
	char message[256];
	enum err err = sqlite_driver.open(path, DB_DRAFT, &restoring->db, message, sizeof(message));

	if (err) {
		buf_printf(restoring->why, "cannot open %s: %s", path, message);
		return err;
	}
	return restoring_script(restoring, "PRAGMA foreign_keys = OFF", "open the copy");
}

/* The full copy has its text index, the changes do not. */
static enum err restoring_finish(struct restoring *restoring)
{
	const struct text_index *index = sql_dialect(&sqlite_driver)->text_index;

	return restoring->report->commits
		       ? restoring_script(restoring, index->fill, "make the text index")
		       : OK;
}

static void restoring_begin(struct restoring *restoring, const struct generation *generation)
{
	struct replica_report *report = restoring->report;
	struct arena *arena = report->arena;

	*report = (struct replica_report){.arena = arena,
					  .generation = generation->number,
					  .copied_at = generation->manifest.at,
					  .at = generation->manifest.at,
					  .schema = generation->manifest.schema,
					  .damage = report->damage};
	restoring->in_reach = false;
	restoring->account_id = 0;
	if (restoring->until->kind == REPLICA_CHANGE)
		(void)manifest_account(&generation->manifest, restoring->until->account,
				       &restoring->account_id, &report->last_change);
}

static void report_end(struct replica_report *report, const struct segments_found *found)
{
	if (found->damage[0])
		report->damage = arena_copy(report->arena, slice_of(found->damage));
	if (found->note[0])
		report->note = arena_copy(report->arena, slice_of(found->note));
}

/* A change that the replica does not have is a mistake, unless a damage hides it. In a gap, which
 * a failure of the target leaves, it has no moment. */
static enum err reach_check(struct restoring *restoring, const struct segments_found *found)
{
	const struct replica_until *until = restoring->until;
	bool ended = !restoring->in_reach && !found->damage[0];
	/* Before a migration the replica is taken to have the state of the old schema. */
	bool gap = ended && restoring->next && !restoring->continues &&
		   restoring->next->manifest.schema == restoring->report->schema;

	if (gap && until->kind == REPLICA_TIME)
		restoring->report->gap_end = restoring->next->manifest.at;
	if (!ended || until->kind != REPLICA_CHANGE ||
	    restoring->report->last_change == until->change)
		return OK;
	if (!restoring->account_id)
		buf_printf(restoring->why, "the replica has no account \"%s\"", until->account);
	else
		buf_printf(restoring->why,
			   "the last change of the account \"%s\" in the replica%s is %" PRId64,
			   until->account, gap ? " before a gap" : "",
			   restoring->report->last_change);
	if (gap)
		buf_printf(restoring->why, ". Generation %" PRId64 " begins behind the gap",
			   restoring->next->number);
	return ERR_NOT_FOUND;
}

/* Reads the commits of a generation: those that are wanted, and those after them. */
static enum err commits_read(struct restoring *restoring, const struct generations *all,
			     const struct generation *generation, struct segments_found *found)
{
	const struct generation *next = generation + 1, *end = all->list + all->count;

	while (next < end && !next->manifest.mark[0])
		next++;
	restoring->next = next < end ? next : NULL;
	restoring->continues =
		restoring->next && strcmp(generation->manifest.mark, next->manifest.mark) == 0;
	return segments_read(generation, restore_commit, restoring, found, restoring->why);
}

/* Nobody knows which ids were given out between two generations. Their changes are counted. */
static enum err gap_raise_ids(struct restoring *restoring, const struct manifest *manifest)
{
	struct slice rest = buf_slice(&manifest->accounts);
	char name[ACCOUNT_BYTES];
	int64_t id, change;
	enum err err = OK;

	while (!err && manifest_next_account(&rest, &id, &change, name))
		err = era_raise_ids_by_change(restoring->db, id, change);
	return err ? restoring_fail(restoring, ERR_INTERNAL, "raise the ids") : OK;
}

/* Reads on in the newer generations, as far as they are sound, for the ids that they gave out. */
static enum err generations_read_on(struct restoring *restoring, const struct generations *all)
{
	struct segments_found found;
	enum err err = OK;

	restoring->in_reach = true;
	while (!err && restoring->next) {
		const struct generation *generation = restoring->next;

		if (!restoring->continues)
			err = gap_raise_ids(restoring, &generation->manifest);
		if (!err)
			err = commits_read(restoring, all, generation, &found);
		if (err != ERR_IO)
			continue;
		/* A process that serves may have removed it meanwhile. */
		if (access(generation->folder, F_OK) == 0)
			restoring->report->note =
				arena_copy(restoring->report->arena, buf_slice(restoring->why));
		err = OK;
		buf_clear(restoring->why);
	}
	return err;
}

/* `path` NULL: only reads. */
static enum err generation_restore(struct restoring *restoring, const struct generations *all,
				   const struct generation *generation, const char *path)
{
	struct segments_found found;
	enum err err = image_read(generation->folder, &generation->manifest, path, restoring->why);

	restoring_begin(restoring, generation);
	if (!err && path)
		err = restoring_open(restoring, path);
	if (!err)
		err = commits_read(restoring, all, generation, &found);
	if (!err && restoring->in_reach)
		found.damage[0] = found.note[0] = '\0'; /* they are behind the wanted moment */
	if (!err)
		err = reach_check(restoring, &found);
	if (!err && path)
		err = generations_read_on(restoring, all);
	if (!err && path)
		err = restoring_finish(restoring);
	if (!err)
		report_end(restoring->report, &found);
	if (restoring->db)
		restoring->db->driver->close(restoring->db);
	restoring->db = NULL;
	if (!err && path && (file_sync(path) || file_sync_parent(path)))
		err = replica_blame(restoring->why, "write", path);
	if (err && path)
		unlink(path);
	return err;
}

/* Damaged generations that are newer than the chosen one are left out. The report names the
 * newest. */
static enum err generations_restore(const char *dir, struct generations *all,
				    struct restoring *restoring, const char *path)
{
	const struct replica_until *until = restoring->until;
	struct replica_report *report = restoring->report;
	enum err err = ERR_CORRUPT;

	while (err == ERR_CORRUPT) {
		ptrdiff_t chosen = generation_choose(all, until);

		for (ptrdiff_t i = (ptrdiff_t)all->count - 1; i > chosen && !report->damage; i--)
			if (all->list[i].damage[0])
				report->damage =
					arena_copy(report->arena, slice_of(all->list[i].damage));
		if (chosen < 0)
			return choose_fail(dir, all, until, restoring->why);
		buf_clear(restoring->why);
		err = generation_restore(restoring, all, &all->list[chosen], path);
		if (err == ERR_CORRUPT)
			snprintf(all->list[chosen].damage, REPLICA_WORDS_BYTES, "%.*s",
				 (int)restoring->why->len, restoring->why->ptr);
	}
	return err;
}

enum err replica_restore(const char *dir, const struct replica_until *until, const char *path,
			 struct replica_report *report, struct buf *why)
{
	struct restoring restoring = {.until = until, .report = report, .why = why};
	struct generations all = {0};
	enum err err = generations_read(dir, &all, why);

	report->damage = NULL;
	if (!err)
		err = generations_restore(dir, &all, &restoring, path);
	generations_release(&all);
	return err;
}
