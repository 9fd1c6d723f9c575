/* SPDX-License-Identifier: MIT */
/* Writes segments. A segment has its final name when it is complete. */
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static void segment_path(const struct segments *segments, const char *end, char path[DIR_BYTES])
{
	snprintf(path, DIR_BYTES, "%.4000s/" SEGMENT_NAME NUMBER_FORMAT "%s", segments->folder,
		 (long long)segments->number, end);
}

enum err segments_next(struct segments *segments, struct buf *why)
{
	char path[DIR_BYTES], head[SEGMENT_HEAD];

	segments->number++;
	segments->bytes = SEGMENT_HEAD;
	segment_path(segments, OPEN_END, path);
	segment_head_write(segments->id, segments->number, segments->chain, head);
	segments->fd = file_make(path);
	if (segments->fd < 0)
		return replica_blame(why, "make", path);
	if (!io_write_all(segments->io, segments->fd, head, sizeof(head)) ||
	    segments->io->sync(segments->fd) || file_sync_parent(path)) {
		enum err err = replica_blame(why, "write", path);

		segments_abandon(segments);
		return err;
	}
	return OK;
}

/* A file that was removed, or whose disk was taken away, can still be written by its descriptor. */
static bool segment_is_there(const struct segments *segments, const char *path)
{
	struct stat named, opened;

	if (stat(path, &named) || fstat(segments->fd, &opened))
		return false;
	errno = ENOENT;
	return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

enum err segments_look(const struct segments *segments, struct buf *why)
{
	char path[DIR_BYTES];

	segment_path(segments, OPEN_END, path);
	return segment_is_there(segments, path) ? OK : replica_blame(why, "find", path);
}

static enum err segment_write(struct segments *segments, struct frame_head *head,
			      struct slice packed, struct buf *why)
{
	char bytes[FRAME_HEAD], path[DIR_BYTES];

	frame_head_write(head, bytes);
	frame_digest(segments->chain, bytes, packed, head->digest);
	frame_head_write(head, bytes);
	segment_path(segments, OPEN_END, path);
	if (!io_write_all(segments->io, segments->fd, bytes, sizeof(bytes)) ||
	    !io_write_all(segments->io, segments->fd, packed.ptr, packed.len) ||
	    segments->io->sync(segments->fd) || !segment_is_there(segments, path))
		return replica_blame(why, "write", path);
	memcpy(segments->chain, head->digest, DIGEST_BYTES);
	segments->bytes += (int64_t)(sizeof(bytes) + packed.len);
	segments->last = head->last;
	return OK;
}

enum err segments_add(struct segments *segments, struct frame_head *head, struct slice packed,
		      struct buf *why)
{
	enum err err = segment_write(segments, head, packed, why);

	if (err || segments->bytes < SEGMENT_BYTES)
		return err;
	err = segments_end(segments, why);
	return err ? err : segments_next(segments, why);
}

enum err segments_end(struct segments *segments, struct buf *why)
{
	struct frame_head head = {
		.flags = FRAME_END, .first = segments->last, .last = segments->last};
	enum err err = segment_write(segments, &head, (struct slice){0}, why);

	segments_abandon(segments);
	return err ? err : segments_name(segments, why);
}

enum err segments_name(const struct segments *segments, struct buf *why)
{
	char open[DIR_BYTES], path[DIR_BYTES];

	segment_path(segments, OPEN_END, open);
	segment_path(segments, "", path);
	return rename(open, path) || file_sync_parent(path) ? replica_blame(why, "rename", open)
							    : OK;
}

void segments_abandon(struct segments *segments)
{
	if (segments->fd >= 0)
		close(segments->fd);
	segments->fd = -1;
}
