/* SPDX-License-Identifier: MIT */
/* What is in the files of a replica: manifests, and segments of frames of commits.
 * docs/design/replica.md describes them. */
#ifndef FRAMES_FRAMES_H
#define FRAMES_FRAMES_H

#include "base/digest.h"
#include "base/hex.h"
#include "store/recorder.h"

#define ID_BYTES 16
#define ACCOUNT_BYTES 256 /* a name */

#define SEGMENT_MAGIC "DKTSEG01"
#define SEGMENT_HEAD 96
#define FRAME_MAGIC "DKTFRM01"
#define FRAME_HEAD 80
#define FRAME_DIGESTED 48 /* the bytes of a head before its digest */
#define FRAME_END 1       /* the flag of the frame that ends a segment */
#define COMMIT_HEAD 32

/* What a generation is. */
struct manifest {
	int64_t generation;
	unsigned char id[ID_BYTES];         /* random */
	char database[HEX_BYTES(ID_BYTES)]; /* names the database, of all its generations */
	int64_t schema, at, image_bytes, database_bytes;
	char mark[STORE_MARK_BYTES]; /* of the state in the image */
	unsigned char image_digest[DIGEST_BYTES];
	struct buf accounts; /* the lines "account ID LAST_CHANGE NAME" */
};

void manifest_release(struct manifest *manifest);
/* Writes the text of the manifest, with its digest. */
void manifest_write(const struct manifest *manifest, struct buf *text);
/* False: the text is damaged. */
bool manifest_read(struct slice text, struct manifest *manifest_out);
/* The id and the last change of an account in the image. False: the image does not have the
 * account. */
bool manifest_account(const struct manifest *manifest, const char *name, int64_t *id_out,
		      int64_t *last_change_out);
/* The same of the next account. `rest` begins as manifest->accounts. False: there is no other. */
bool manifest_next_account(struct slice *rest, int64_t *id_out, int64_t *last_change_out,
			   char name[ACCOUNT_BYTES]);

struct frame_head {
	uint32_t flags, count, raw, packed;
	int64_t first, last, at; /* numbers of commits; the time of the last */
	unsigned char digest[DIGEST_BYTES];
};

/* The digest of a frame, which covers the digest before it. */
void frame_digest(const unsigned char before[DIGEST_BYTES], const char head[FRAME_DIGESTED],
		  struct slice packed, unsigned char out[DIGEST_BYTES]);
void frame_head_write(const struct frame_head *head, char bytes[FRAME_HEAD]);
/* False: it is no head of a frame. */
bool frame_head_read(const char bytes[FRAME_HEAD], struct frame_head *head_out);
/* The digest that the first segment of a generation continues. */
void chain_begin(const unsigned char id[ID_BYTES], unsigned char out[DIGEST_BYTES]);
void segment_head_write(const unsigned char id[ID_BYTES], int64_t number,
			const unsigned char before[DIGEST_BYTES], char bytes[SEGMENT_HEAD]);
/* False: it is no head of a segment, or damaged. */
bool segment_head_read(const char bytes[SEGMENT_HEAD], unsigned char id[ID_BYTES],
		       int64_t *number_out, unsigned char before[DIGEST_BYTES]);

/* A commit in a frame. */
struct frame_commit {
	int64_t number, at;
	const char *accounts; /* of 16 bytes each: id and last change */
	size_t account_count;
	struct slice changes, mark;
};
void commit_write(const struct store_commit *commit, struct buf *out);
/* Takes the next commit from `rest`. False: the bytes are no commit. */
bool commit_read(struct slice *rest, struct frame_commit *commit_out);
/* The last change of an account in the commit. False: it does not change the account. */
bool commit_account(const struct frame_commit *commit, int64_t id, int64_t *last_change_out);

#endif
