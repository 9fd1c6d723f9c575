/* SPDX-License-Identifier: MIT */
/* Begins, completes and removes generations. A generation gets its final name when its full copy
 * is complete. */
#include "generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "replica/read.h"

#define LOCK_NAME "lock"
#define SPARE_BYTES ((int64_t)64 << 20) /* for segments, while a full copy is made */

enum err target_lock(const char *dir, int *fd_out, struct buf *why)
{
	char path[DIR_BYTES];
	int fd;

	snprintf(path, sizeof(path), "%.4000s/" LOCK_NAME, dir);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = file_make(path);
	if (fd < 0)
		return replica_blame(why, "open", path);
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		close(fd);
		buf_printf(why, "%s is in use by another docket process", dir);
		return ERR_BUSY;
	}
	*fd_out = fd;
	return OK;
}

static enum err database_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	snprintf(context, HEX_BYTES(ID_BYTES), "%.*s", (int)values[0].bytes.len,
		 values[0].bytes.ptr);
	return OK;
}

enum err database_read_name(struct store *store, char name[HEX_BYTES(ID_BYTES)])
{
	const struct db_call ask = {.sql = "SELECT value FROM property WHERE name = 'database'",
				    .on_row = database_row,
				    .context = name};

	name[0] = '\0';
	return store->driver->run(store->write_db, &ask, 1);
}

enum err generation_remove(const char *path, struct buf *why)
{
	DIR *files = opendir(path);
	const struct dirent *entry;
	bool failed = !files;

	while (files && (entry = readdir(files)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(files), entry->d_name, 0))
			failed = true;
	if (files)
		closedir(files);
	return failed || rmdir(path) ? replica_blame(why, "remove", path) : OK;
}

/* Removes all unfinished generations, and finds the highest number that is taken. */
static enum err leftovers_remove(const char *dir, int64_t *highest_out, struct buf *why)
{
	DIR *files = opendir(dir);
	const struct dirent *entry;

	if (!files)
		return replica_blame(why, "read", dir);
	*highest_out = 0;
	while ((entry = readdir(files))) {
		char path[DIR_BYTES];
		long long number;
		int end = 0;

		snprintf(path, sizeof(path), "%.3800s/%.200s", dir, entry->d_name);
		if (sscanf(entry->d_name, GENERATION_NAME "%lld%n", &number, &end) == 1 &&
		    !entry->d_name[end] && number > *highest_out)
			*highest_out = number;
		else if (sscanf(entry->d_name, UNFINISHED_NAME "%lld%n", &number, &end) == 1 &&
			 !entry->d_name[end] && generation_remove(path, why)) {
			log_line("%.*s", (int)why->len, why->ptr);
			buf_clear(why);
			*highest_out = number > *highest_out ? number : *highest_out;
		}
	}
	closedir(files);
	return OK;
}

static void generation_path(const char *dir, const char *prefix, int64_t number,
			    char path[DIR_BYTES])
{
	snprintf(path, DIR_BYTES, "%.4000s/%s" NUMBER_FORMAT, dir, prefix, (long long)number);
}

enum err generation_begin(const char *dir, struct manifest *manifest, struct segments *segments,
			  struct buf *why)
{
	int64_t highest = 0;
	int parent;
	bool given;
	enum err err = leftovers_remove(dir, &highest, why);

	if (err)
		return err;
	manifest->generation = highest + 1;
	salt_make(manifest->id);
	generation_path(dir, UNFINISHED_NAME, manifest->generation, segments->folder);
	if (mkdir(segments->folder, 0700))
		return replica_blame(why, "make", segments->folder);
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	given = parent >= 0 && file_give(parent, strrchr(segments->folder, '/') + 1);
	if (parent >= 0)
		close(parent);
	if (!given)
		return replica_blame(why, "give", segments->folder);
	memcpy(segments->id, manifest->id, ID_BYTES);
	segments->number = 0;
	segments->last = -1;
	chain_begin(segments->id, segments->chain);
	return segments_next(segments, why);
}

enum err generation_finish(const char *dir, const struct manifest *manifest,
			   struct segments *segments, struct buf *why)
{
	char path[DIR_BYTES];
	struct buf text = {0};
	enum err err;

	snprintf(path, sizeof(path), "%.4000s/" MANIFEST_NAME, segments->folder);
	manifest_write(manifest, &text);
	err = text.failed ? ERR_NOMEM : file_write_whole(path, buf_slice(&text));
	if (err == ERR_IO)
		err = replica_blame(why, "write", path);
	buf_release(&text);
	generation_path(dir, GENERATION_NAME, manifest->generation, path);
	if (!err && rename(segments->folder, path))
		err = replica_blame(why, "rename", segments->folder);
	if (err)
		return err;
	err = folder_sync(dir, why);
	/* The caller goes on with the generation before, so this one must not be the newest. */
	if (err && rename(path, segments->folder) == 0)
		return err;
	if (err)
		log_line("%.*s. The replica uses generation %lld all the same", (int)why->len,
			 why->ptr, (long long)manifest->generation);
	memcpy(segments->folder, path, sizeof(path));
	return OK;
}

/* Ends the segment that a process has left open, behind its last whole frame. */
static enum err open_segment_end(struct segments *segments, const struct segments_found *found,
				 struct buf *why)
{
	char path[DIR_BYTES];

	snprintf(path, sizeof(path), "%.4000s/" SEGMENT_NAME NUMBER_FORMAT OPEN_END,
		 segments->folder, (long long)segments->number);
	if (found->whole_bytes < SEGMENT_HEAD) {
		segments->number--;
		return unlink(path) ? replica_blame(why, "remove", path) : OK;
	}
	if (found->ended)
		return file_sync(path) ? replica_blame(why, "write", path)
				       : segments_name(segments, why);
	segments->fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (segments->fd < 0 || ftruncate(segments->fd, found->whole_bytes))
		return replica_blame(why, "write", path);
	return segments_end(segments, why);
}

static enum err newest_resume(const struct generation *newest, const char *mark,
			      struct segments *segments, struct buf *why)
{
	struct segments_found found;
	enum err err = segments_read(newest, NULL, NULL, &found, why);

	if (err)
		return err;
	if (found.damage[0])
		log_line("the replica is damaged: %s", found.damage);
	if (found.damage[0] || strcmp(found.mark, mark) != 0)
		return ERR_NOT_FOUND;
	memcpy(segments->folder, newest->folder, sizeof(segments->folder));
	memcpy(segments->id, newest->manifest.id, ID_BYTES);
	memcpy(segments->chain, found.chain, DIGEST_BYTES);
	segments->number = found.segment;
	segments->last = found.last;
	if (found.open)
		err = open_segment_end(segments, &found, why);
	return err ? err : segments_next(segments, why);
}

enum err generation_resume(const char *dir, const char *database, const char *mark, int64_t schema,
			   struct manifest *manifest_out, struct segments *segments,
			   struct buf *why)
{
	struct generations all = {0};
	struct generation *newest;
	enum err err = generations_read(dir, &all, why);

	newest = !err && all.count ? &all.list[all.count - 1] : NULL;
	if (!err && (!newest || newest->damage[0]))
		err = ERR_NOT_FOUND;
	if (!err && strcmp(newest->manifest.database, database) != 0) {
		buf_printf(why, "%s has the replica of another database: give each its own folder",
			   dir);
		err = ERR_EXISTS;
	}
	if (!err && (!mark[0] || newest->manifest.schema != schema))
		err = ERR_NOT_FOUND;
	if (!err)
		err = newest_resume(newest, mark, segments, why);
	if (!err) {
		*manifest_out = newest->manifest;
		newest->manifest.accounts = (struct buf){0};
	}
	generations_release(&all);
	return err;
}

/* Gives it an unfinished name first, so that no part of a generation is left as a whole one. */
static enum err generation_retire(const char *dir, const struct generation *old, struct buf *why)
{
	char path[DIR_BYTES];
	enum err err;

	generation_path(dir, UNFINISHED_NAME, old->number, path);
	if (rename(old->folder, path))
		return replica_blame(why, "rename", old->folder);
	err = folder_sync(dir, why);
	return err ? err : generation_remove(path, why);
}

void generations_prune(const char *dir, unsigned keep)
{
	struct generations all = {0};
	struct buf why = {0};
	enum err err = generations_read(dir, &all, &why);

	for (size_t i = 0; !err && all.count - i > keep; i++)
		err = generation_retire(dir, &all.list[i], &why);
	if (err && why.len)
		log_line("cannot remove an old generation of the replica: %.*s", (int)why.len,
			 why.ptr);
	buf_release(&why);
	generations_release(&all);
}

static enum err room_check(const char *dir, int64_t bytes, struct buf *why)
{
	int64_t has;

	buf_clear(why);
	if (file_free_bytes(dir, &has) || has >= bytes)
		return OK;
	buf_printf(why, "a full copy needs %lld MiB in %s, and %lld MiB are free",
		   (long long)bytes / MIB + 1, dir, (long long)has / MIB);
	return ERR_FULL;
}

enum err generations_make_room(const char *dir, unsigned keep, struct buf *why)
{
	struct generations all = {0};
	const struct generation *newest;
	int64_t bytes = SPARE_BYTES, highest;
	enum err err = leftovers_remove(dir, &highest, why);
	bool sound;

	if (!err)
		err = generations_read(dir, &all, why);
	newest = all.count ? &all.list[all.count - 1] : NULL;
	sound = newest && !newest->damage[0];
	bytes += sound ? newest->manifest.image_bytes : 0;
	generations_release(&all);
	if (!err)
		err = room_check(dir, bytes, why);
	if (err != ERR_FULL || !sound)
		return err;
	generations_prune(dir, keep > 1 ? keep - 1 : 1);
	return room_check(dir, bytes, why);
}
