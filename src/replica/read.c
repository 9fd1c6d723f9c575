/* SPDX-License-Identifier: MIT */
/* Reads segments. Each frame has a digest over itself and the digest before it. So a changed bit, a
 * frame or a segment that is missing or in another's place, and one of another generation do not go
 * unseen. */
#include "replica/read.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/file.h"

#define MANIFEST_MOST (64 << 20)

/* A segment that is read as a whole. */
struct segment_reading {
	const struct generation *generation;
	struct segments_found *found;
	commit_fn *on_commit;
	void *context;
	struct buf bytes, raw;
	size_t at;
	char path[DIR_BYTES];
};

static void __attribute__((format(printf, 2, 3)))
damage_set(struct segments_found *found, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(found->damage, sizeof(found->damage), format, args);
	va_end(args);
}

static int generation_compare(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static enum err generation_load(struct generation *generation)
{
	char path[DIR_BYTES];
	struct buf text = {0};
	enum err err;

	snprintf(path, sizeof(path), "%.4000s/" MANIFEST_NAME, generation->folder);
	err = file_read_whole(path, MANIFEST_MOST, &text);
	if (err == ERR_NOT_FOUND)
		snprintf(generation->damage, sizeof(generation->damage), "%.200s is missing", path);
	else if (err)
		snprintf(generation->damage, sizeof(generation->damage),
			 "%.180s cannot be read: %.40s", path, strerror(errno));
	else if (!manifest_read(buf_slice(&text), &generation->manifest) ||
		 generation->manifest.generation != generation->number)
		snprintf(generation->damage, sizeof(generation->damage),
			 "%.180s is damaged: its digest does not fit", path);
	buf_release(&text);
	return err == ERR_NOMEM ? err : OK;
}

/* The number in a name such as "generation-000012". With `open_out` the name may end in ".open". */
static bool name_number(const char *name, const char *prefix, int64_t *number_out, bool *open_out)
{
	char expected[64];
	size_t len = strlen(prefix);
	long long number;

	if (strncmp(name, prefix, len) != 0)
		return false;
	number = strtoll(name + len, NULL, 10);
	len = (size_t)snprintf(expected, sizeof(expected), "%s" NUMBER_FORMAT, prefix, number);
	if (number <= 0 || strncmp(name, expected, len) != 0)
		return false;
	if (open_out)
		*open_out = strcmp(name + len, OPEN_END) == 0;
	*number_out = number;
	return !name[len] || (open_out && *open_out);
}

enum err generations_read(const char *dir, struct generations *generations, struct buf *why)
{
	DIR *files = opendir(dir);
	const struct dirent *entry;
	enum err err = OK;

	if (!files) {
		err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
		buf_printf(why, "cannot read %s: %s", dir, strerror(errno));
		return err;
	}
	while (!err && (entry = readdir(files))) {
		struct generation *more;
		int64_t number;

		if (!name_number(entry->d_name, GENERATION_NAME, &number, NULL))
			continue;
		more = realloc(generations->list, (generations->count + 1) * sizeof(*more));
		if (!more) {
			err = ERR_NOMEM;
			break;
		}
		generations->list = more;
		more += generations->count++;
		*more = (struct generation){.number = number};
		snprintf(more->folder, sizeof(more->folder), "%.3800s/%.200s", dir, entry->d_name);
		err = generation_load(more);
	}
	closedir(files);
	if (generations->count)
		qsort(generations->list, generations->count, sizeof(*generations->list),
		      generation_compare);
	return err;
}

void generations_release(struct generations *generations)
{
	for (size_t i = 0; i < generations->count; i++)
		manifest_release(&generations->list[i].manifest);
	free(generations->list);
	*generations = (struct generations){0};
}

enum err segments_find(const char *folder, int64_t *number_out, bool *open_out, struct buf *why)
{
	DIR *files = opendir(folder);
	const struct dirent *entry;

	if (!files)
		return replica_blame(why, "read", folder);
	*number_out = 0;
	*open_out = false;
	while ((entry = readdir(files))) {
		int64_t number;
		bool open;

		if (!name_number(entry->d_name, SEGMENT_NAME, &number, &open) ||
		    number < *number_out)
			continue;
		*number_out = number;
		*open_out = open;
	}
	closedir(files);
	return OK;
}

/* A crash leaves an incomplete frame at the end of a segment that was not ended. Nothing is written
 * after it. */
static bool frame_is_torn(const struct segment_reading *reading)
{
	size_t next = reading->at + 1;

	return reading->found->open &&
	       (next >= reading->bytes.len ||
		!memmem(&reading->bytes.ptr[next], reading->bytes.len - next, FRAME_MAGIC, 8));
}

static enum err frame_blame(struct segment_reading *reading, const char *what)
{
	struct segments_found *found = reading->found;

	if (frame_is_torn(reading)) {
		snprintf(found->note, sizeof(found->note),
			 "the last frame of %.160s is incomplete: a crash leaves it so",
			 reading->path);
		return ERR_NOT_FOUND;
	}
	damage_set(found, "%.160s is damaged at byte %zu: %s", reading->path, reading->at, what);
	return ERR_CORRUPT;
}

static enum err frame_unpack(struct segment_reading *reading, const struct frame_head *head,
			     struct slice packed)
{
	size_t got;

	buf_clear(&reading->raw);
	if (!buf_reserve(&reading->raw, (size_t)head->raw + 1))
		return ERR_NOMEM;
	got = ZSTD_decompress(reading->raw.ptr, head->raw, packed.ptr, packed.len);
	if (ZSTD_isError(got) || got != head->raw)
		return frame_blame(reading, "the frame cannot be unpacked");
	reading->raw.len = got;
	return OK;
}

/* The commits of a frame. Those that the image has are left out. */
static enum err frame_commits(struct segment_reading *reading)
{
	struct segments_found *found = reading->found;
	struct slice rest = buf_slice(&reading->raw);
	enum err err = OK;

	while (rest.len && !err) {
		struct frame_commit commit;

		if (!commit_read(&rest, &commit))
			return frame_blame(reading, "the frame has no whole commit");
		if (commit.number <= found->last)
			continue;
		if (commit.number != found->last + 1) {
			damage_set(found, "%.160s: the commits from %lld to %lld are missing",
				   reading->path, (long long)found->last + 1,
				   (long long)commit.number - 1);
			return ERR_CORRUPT;
		}
		if (reading->on_commit)
			err = reading->on_commit(reading->context, &commit);
		if (err)
			return err;
		found->last = commit.number;
		snprintf(found->mark, sizeof(found->mark), "%.*s", (int)commit.mark.len,
			 commit.mark.ptr);
	}
	return err;
}

/* ERR_NOT_FOUND: the segment ends here. */
static enum err frame_read(struct segment_reading *reading)
{
	const char *at = &reading->bytes.ptr[reading->at];
	size_t left = reading->bytes.len - reading->at;
	unsigned char digest[DIGEST_BYTES];
	struct frame_head head;
	struct slice packed;
	enum err err;

	if (!left && reading->found->open)
		return ERR_NOT_FOUND;
	if (left < FRAME_HEAD)
		return frame_blame(reading, "the segment is cut off");
	if (!frame_head_read(at, &head))
		return frame_blame(reading, "there is no frame");
	if (head.packed > left - FRAME_HEAD)
		return frame_blame(reading, "the segment is cut off");
	packed = (struct slice){at + FRAME_HEAD, head.packed};
	frame_digest(reading->found->chain, at, packed, digest);
	if (memcmp(digest, head.digest, DIGEST_BYTES) != 0)
		return frame_blame(reading, "the digest of the frame does not fit");
	if (head.flags & FRAME_END && left > FRAME_HEAD)
		return frame_blame(reading, "something follows the end of the segment");
	err = head.flags & FRAME_END ? ERR_NOT_FOUND : frame_unpack(reading, &head, packed);
	if (!err)
		err = frame_commits(reading);
	if (err && err != ERR_NOT_FOUND)
		return err;
	memcpy(reading->found->chain, digest, DIGEST_BYTES);
	reading->at += FRAME_HEAD + head.packed;
	reading->found->whole_bytes = (int64_t)reading->at;
	reading->found->ended = head.flags & FRAME_END;
	return err;
}

static enum err segment_begin(struct segment_reading *reading)
{
	struct segments_found *found = reading->found;
	unsigned char id[ID_BYTES], before[DIGEST_BYTES];
	int64_t number;

	reading->at = 0;
	found->whole_bytes = 0;
	found->ended = false;
	if (reading->bytes.len < SEGMENT_HEAD)
		return frame_blame(reading, "the segment is cut off");
	if (!segment_head_read(reading->bytes.ptr, id, &number, before))
		return frame_blame(reading, "the head of the segment does not fit its digest");
	if (memcmp(id, reading->generation->manifest.id, ID_BYTES) != 0)
		damage_set(found, "%.160s is of another generation", reading->path);
	else if (number != found->segment)
		damage_set(found, "%.160s has segment %lld: files were swapped", reading->path,
			   (long long)number);
	else if (memcmp(before, found->chain, DIGEST_BYTES) != 0)
		damage_set(found, "%.160s does not continue the segment before it", reading->path);
	reading->at = (size_t)SEGMENT_HEAD;
	found->whole_bytes = SEGMENT_HEAD;
	return found->damage[0] ? ERR_CORRUPT : OK;
}

static enum err segment_load(struct segment_reading *reading)
{
	snprintf(reading->path, sizeof(reading->path), "%.4000s/" SEGMENT_NAME NUMBER_FORMAT "%s",
		 reading->generation->folder, (long long)reading->found->segment,
		 reading->found->open ? OPEN_END : "");
	buf_clear(&reading->bytes);
	return file_read_whole(reading->path, SIZE_MAX, &reading->bytes);
}

/* Reads the segment found->segment. ERR_NOT_FOUND: to its end. */
static enum err segment_read(struct segment_reading *reading, struct buf *why)
{
	struct segments_found *found = reading->found;
	enum err err = segment_load(reading);

	if (err == ERR_NOT_FOUND && found->open) {
		/* A process that serves has ended it meanwhile. */
		found->open = false;
		err = segment_load(reading);
	}
	if (err == ERR_NOT_FOUND) {
		damage_set(found, "%.160s is missing", reading->path);
		return ERR_CORRUPT;
	}
	if (err == ERR_IO) {
		damage_set(found, "%.160s cannot be read: %.60s", reading->path, strerror(errno));
		return ERR_CORRUPT;
	}
	if (err)
		return err;
	err = segment_begin(reading);
	while (!err)
		err = frame_read(reading);
	if (err == ERR_NOMEM)
		buf_add_text(why, "out of memory");
	return err;
}

enum err segments_read(const struct generation *generation, commit_fn *on_commit, void *context,
		       struct segments_found *found_out, struct buf *why)
{
	struct segments_found found = {0};
	struct segment_reading reading = {.generation = generation,
					  .found = &found,
					  .on_commit = on_commit,
					  .context = context};
	int64_t highest = 0;
	bool last_open = false;
	enum err err = segments_find(generation->folder, &highest, &last_open, why);

	chain_begin(generation->manifest.id, found.chain);
	memcpy(found.mark, generation->manifest.mark, sizeof(found.mark));
	if (!err && !mark_read(found.mark, &found.last))
		err = ERR_CORRUPT;
	if (!err && !highest)
		damage_set(&found, "%.180s has no segment", generation->folder);
	while (!err && found.segment < highest) {
		found.segment++;
		found.open = last_open && found.segment == highest;
		err = segment_read(&reading, why);
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	buf_release(&reading.bytes);
	buf_release(&reading.raw);
	if (err == ERR_STOPPED || (err == ERR_CORRUPT && found.damage[0]))
		err = OK;
	if (!err)
		*found_out = found;
	return err;
}
