/* SPDX-License-Identifier: MIT */
/* The generation of the state before an upgrade. */
#include <unistd.h>

#include "copier.h"
#include "generation.h"
#include "replica/read.h"

/* Whether the replica ends with this state. */
static enum err state_is_there(const char *dir, const char *database, const char *mark,
			       int64_t schema, bool *there_out, struct buf *why)
{
	struct generations all = {0};
	struct segments_found found = {0};
	const struct generation *newest;
	enum err err = generations_read(dir, &all, why);

	newest = !err && all.count ? &all.list[all.count - 1] : NULL;
	if (newest && !newest->damage[0] && strcmp(newest->manifest.database, database) != 0) {
		buf_printf(why, "%s has the replica of another database", dir);
		err = ERR_EXISTS;
	}
	if (newest && !err && !newest->damage[0])
		err = segments_read(newest, NULL, NULL, &found, why);
	*there_out = newest && !err && !found.damage[0] && mark[0] &&
		     newest->manifest.schema == schema && strcmp(found.mark, mark) == 0;
	generations_release(&all);
	return err;
}

static enum err generation_copy(struct store *store, const char *dir, struct manifest *manifest,
				struct segments *segments, struct buf *why)
{
	enum err err = generation_begin(dir, manifest, segments, why);
	struct copier *copier =
		err ? NULL
		    : copier_new(store, &replica_system_io, segments->folder, manifest, false);

	if (err)
		return err;
	err = copier ? copier_free(copier, manifest, why) : ERR_NOMEM;
	if (!err)
		err = generation_finish(dir, manifest, segments, why);
	return err ? err : segments_end(segments, why);
}

static enum err target_copy(struct store *store, const char *dir, unsigned keep, int64_t schema,
			    const char *mark, struct buf *why)
{
	struct manifest manifest = {0};
	struct segments segments = {.fd = -1, .io = &replica_system_io};
	bool there = false;
	enum err err = database_read_name(store, manifest.database);

	if (err || !manifest.database[0])
		return err;
	err = state_is_there(dir, manifest.database, mark, schema, &there, why);
	if (err || there)
		return err;
	err = generation_copy(store, dir, &manifest, &segments, why);
	segments_abandon(&segments);
	manifest_release(&manifest);
	if (!err)
		generations_prune(dir, keep);
	return err;
}

enum err replica_before_upgrade(struct store *store, const char *dir, unsigned keep, int64_t schema,
				const char *mark, struct buf *why)
{
	int lock = -1;
	enum err err = target_lock(dir, &lock, why);

	if (!err)
		err = target_copy(store, dir, keep, schema, mark, why);
	if (lock >= 0)
		close(lock);
	return err;
}
