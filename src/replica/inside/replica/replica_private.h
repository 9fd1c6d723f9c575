/* SPDX-License-Identifier: MIT */
/* The names of a replica's files, and how they are written. */
#ifndef REPLICA_REPLICA_PRIVATE_H
#define REPLICA_REPLICA_PRIVATE_H

#include "frames/frames.h"
#include "replica/replica.h"

#define DIR_BYTES 4096
#define SEGMENT_BYTES (16 << 20) /* a segment is ended after that */

/* The names in a replica. After these prefixes comes a number, with NUMBER_FORMAT. */
#define GENERATION_NAME "generation-"
#define UNFINISHED_NAME "unfinished-"
#define SEGMENT_NAME "segment-"
#define NUMBER_FORMAT "%06lld"
#define OPEN_END ".open"
#define IMAGE_NAME "image.zst"
#define MANIFEST_NAME "manifest"

extern const struct replica_io replica_system_io;

/* A text of an error: "cannot WHAT PATH: why". Returns ERR_FULL or ERR_IO, by errno. */
enum err replica_blame(struct buf *why, const char *what, const char *path);
/* Writes all bytes. False and errno. */
bool io_write_all(const struct replica_io *io, int fd, const void *bytes, size_t len);
enum err folder_sync(const char *path, struct buf *why);

#endif
