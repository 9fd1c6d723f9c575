/* SPDX-License-Identifier: MIT */
/* Compresses a database and back. The digest is over the compressed bytes. */
#include "replica/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"

#define LEVEL 3
#define CHUNK ((size_t)1 << 20)

/* Two files, the buffers between them, and the digest of the compressed bytes. */
struct image {
	int from, to;
	const struct replica_io *io;
	const char *from_path, *to_path;
	ZSTD_CCtx *packer;
	ZSTD_DCtx *unpacker;
	char *in, *out;
	size_t out_room;
	struct digest digest;
	int64_t read, written;
};

static enum err image_open(struct image *image, struct buf *why)
{
	image->to = -1;
	image->from = open(image->from_path, O_RDONLY | O_CLOEXEC);
	if (image->from < 0)
		return replica_blame(why, "read", image->from_path);
	if (image->to_path) {
		image->to = file_make(image->to_path);
		if (image->to < 0)
			return replica_blame(why, "make", image->to_path);
	}
	image->out_room = CHUNK + ZSTD_CStreamOutSize();
	image->in = malloc(CHUNK);
	image->out = malloc(image->out_room);
	if (image->in && image->out)
		return OK;
	buf_add_text(why, "out of memory");
	return ERR_NOMEM;
}

static void image_close(struct image *image)
{
	if (image->from >= 0)
		close(image->from);
	if (image->to >= 0)
		close(image->to);
	free(image->in);
	free(image->out);
	ZSTD_freeCCtx(image->packer);
	ZSTD_freeDCtx(image->unpacker);
}

static enum err image_put(struct image *image, size_t len, struct buf *why)
{
	image->written += (int64_t)len;
	if (image->to >= 0 && !io_write_all(image->io, image->to, image->out, len))
		return replica_blame(why, "write", image->to_path);
	return OK;
}

static enum err image_get(struct image *image, size_t *len_out, struct buf *why)
{
	ssize_t got;

	do
		got = read(image->from, image->in, CHUNK);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return replica_blame(why, "read", image->from_path);
	image->read += got;
	*len_out = (size_t)got;
	return OK;
}

/* Compresses what was read; `end`: it was the last. */
static enum err image_pack(struct image *image, size_t len, bool end, struct buf *why)
{
	ZSTD_inBuffer in = {image->in, len, 0};
	size_t left;
	enum err err = OK;

	do {
		ZSTD_outBuffer out = {image->out, image->out_room, 0};

		left = ZSTD_compressStream2(image->packer, &out, &in,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left)) {
			buf_printf(why, "cannot compress %s: %s", image->from_path,
				   ZSTD_getErrorName(left));
			return ERR_INTERNAL;
		}
		digest_add(&image->digest, (struct slice){image->out, out.pos});
		err = image_put(image, out.pos, why);
	} while (!err && (end ? left : in.pos < in.size));
	return err;
}

static enum err image_pack_all(struct image *image, bool (*goes_on)(void *context), void *context,
			       struct buf *why)
{
	size_t len = 1;
	enum err err = OK;

	image->packer = ZSTD_createCCtx();
	if (!image->packer)
		return ERR_NOMEM;
	ZSTD_CCtx_setParameter(image->packer, ZSTD_c_compressionLevel, LEVEL);
	while (len && !err) {
		err = goes_on(context) ? image_get(image, &len, why) : ERR_STOPPED;
		if (!err)
			err = image_pack(image, len, len == 0, why);
	}
	if (!err && image->io->sync(image->to))
		err = replica_blame(why, "write", image->to_path);
	return err;
}

enum err image_write(const struct replica_io *io, const char *from, const char *folder,
		     bool (*goes_on)(void *context), void *context, struct manifest *manifest,
		     struct buf *why)
{
	char path[DIR_BYTES], part[DIR_BYTES];
	struct image image = {.io = io, .from_path = from, .to_path = part};
	enum err err;

	snprintf(path, sizeof(path), "%.4000s/" IMAGE_NAME, folder);
	snprintf(part, sizeof(part), "%.4000s/" IMAGE_NAME ".part", folder);
	digest_init(&image.digest);
	err = image_open(&image, why);
	if (!err)
		err = image_pack_all(&image, goes_on, context, why);
	image_close(&image);
	if (!err && rename(part, path))
		err = replica_blame(why, "rename", part);
	if (!err)
		err = folder_sync(folder, why);
	if (err)
		return err;
	manifest->image_bytes = image.written;
	manifest->database_bytes = image.read;
	digest_final(&image.digest, manifest->image_digest);
	return OK;
}

static enum err image_unpack(struct image *image, size_t len, struct buf *why)
{
	ZSTD_inBuffer in = {image->in, len, 0};
	enum err err = OK;

	while (in.pos < in.size && !err) {
		ZSTD_outBuffer out = {image->out, image->out_room, 0};
		size_t left = ZSTD_decompressStream(image->unpacker, &out, &in);

		if (ZSTD_isError(left))
			return ERR_CORRUPT;
		err = image_put(image, out.pos, why);
	}
	return err;
}

static enum err image_unpack_all(struct image *image, struct buf *why)
{
	size_t len = 1;
	enum err err = OK;

	image->unpacker = ZSTD_createDCtx();
	if (!image->unpacker)
		return ERR_NOMEM;
	while (len && !err) {
		err = image_get(image, &len, why);
		if (!err) {
			digest_add(&image->digest, (struct slice){image->in, len});
			err = image_unpack(image, len, why);
		}
	}
	return err;
}

enum err image_read(const char *folder, const struct manifest *manifest, const char *to,
		    struct buf *why)
{
	unsigned char digest[DIGEST_BYTES];
	char path[DIR_BYTES];
	struct image image = {.io = &replica_system_io, .from_path = path, .to_path = to};
	enum err err;

	snprintf(path, sizeof(path), "%.4000s/" IMAGE_NAME, folder);
	if (access(path, F_OK) && errno == ENOENT) {
		buf_printf(why, "%s is missing", path);
		return ERR_CORRUPT;
	}
	digest_init(&image.digest);
	err = image_open(&image, why);
	if (!err)
		err = image_unpack_all(&image, why);
	digest_final(&image.digest, digest);
	image_close(&image);
	if (!err &&
	    (memcmp(digest, manifest->image_digest, DIGEST_BYTES) != 0 ||
	     image.read != manifest->image_bytes || image.written != manifest->database_bytes))
		err = ERR_CORRUPT;
	if (err == ERR_CORRUPT)
		buf_printf(why, "%s is damaged: its digest is not the one in the manifest", path);
	return err;
}
