/* SPDX-License-Identifier: MIT */
/* The bytes of segments, frames and commits. All numbers are little-endian. */
#include "replica/replica_private.h"

void put_int(char *at, size_t bytes, uint64_t value)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (char)(value >> 8 * i);
}

uint64_t get_int(const char *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i > 0; i--)
		value = value << 8 | (unsigned char)at[i - 1];
	return value;
}

void chain_begin(const unsigned char id[ID_BYTES], unsigned char out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, SLICE("docket replica"));
	digest_add(&digest, (struct slice){(const char *)id, ID_BYTES});
	digest_final(&digest, out);
}

void frame_digest(const unsigned char before[DIGEST_BYTES], const char head[FRAME_DIGESTED],
		  struct slice packed, unsigned char out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)before, DIGEST_BYTES});
	digest_add(&digest, (struct slice){head, FRAME_DIGESTED});
	digest_add(&digest, packed);
	digest_final(&digest, out);
}

void frame_head_write(const struct frame_head *head, char bytes[FRAME_HEAD])
{
	memcpy(bytes, FRAME_MAGIC, 8);
	put_int(&bytes[8], 4, head->flags);
	put_int(&bytes[12], 4, head->count);
	put_int(&bytes[16], 4, head->raw);
	put_int(&bytes[20], 4, head->packed);
	put_int(&bytes[24], 8, (uint64_t)head->first);
	put_int(&bytes[32], 8, (uint64_t)head->last);
	put_int(&bytes[40], 8, (uint64_t)head->at);
	memcpy(&bytes[FRAME_DIGESTED], head->digest, DIGEST_BYTES);
}

bool frame_head_read(const char bytes[FRAME_HEAD], struct frame_head *head_out)
{
	if (memcmp(bytes, FRAME_MAGIC, 8) != 0)
		return false;
	head_out->flags = (uint32_t)get_int(&bytes[8], 4);
	head_out->count = (uint32_t)get_int(&bytes[12], 4);
	head_out->raw = (uint32_t)get_int(&bytes[16], 4);
	head_out->packed = (uint32_t)get_int(&bytes[20], 4);
	head_out->first = (int64_t)get_int(&bytes[24], 8);
	head_out->last = (int64_t)get_int(&bytes[32], 8);
	head_out->at = (int64_t)get_int(&bytes[40], 8);
	memcpy(head_out->digest, &bytes[FRAME_DIGESTED], DIGEST_BYTES);
	return true;
}

static void segment_digest(const char bytes[SEGMENT_HEAD], unsigned char out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, (struct slice){bytes, SEGMENT_HEAD - DIGEST_BYTES});
	digest_final(&digest, out);
}

void segment_head_write(const unsigned char id[ID_BYTES], int64_t number,
			const unsigned char before[DIGEST_BYTES], char bytes[SEGMENT_HEAD])
{
	memcpy(bytes, SEGMENT_MAGIC, 8);
	memcpy(&bytes[8], id, ID_BYTES);
	put_int(&bytes[24], 8, (uint64_t)number);
	memcpy(&bytes[32], before, DIGEST_BYTES);
	segment_digest(bytes, (unsigned char *)&bytes[SEGMENT_HEAD - DIGEST_BYTES]);
}

bool segment_head_read(const char bytes[SEGMENT_HEAD], unsigned char id[ID_BYTES],
		       int64_t *number_out, unsigned char before[DIGEST_BYTES])
{
	unsigned char digest[DIGEST_BYTES];

	segment_digest(bytes, digest);
	if (memcmp(bytes, SEGMENT_MAGIC, 8) != 0 ||
	    memcmp(digest, &bytes[SEGMENT_HEAD - DIGEST_BYTES], DIGEST_BYTES) != 0)
		return false;
	memcpy(id, &bytes[8], ID_BYTES);
	*number_out = (int64_t)get_int(&bytes[24], 8);
	memcpy(before, &bytes[32], DIGEST_BYTES);
	return true;
}

void commit_write(const struct store_commit *commit, struct buf *out)
{
	size_t mark = strlen(commit->mark);
	char head[COMMIT_HEAD], pair[16];

	put_int(&head[0], 8, (uint64_t)commit->number);
	put_int(&head[8], 8, (uint64_t)commit->at);
	put_int(&head[16], 4, commit->account_count);
	put_int(&head[20], 4, mark);
	put_int(&head[24], 8, commit->changes.len);
	buf_add(out, head, sizeof(head));
	for (size_t i = 0; i < commit->account_count; i++) {
		put_int(&pair[0], 8, (uint64_t)commit->accounts[i].id);
		put_int(&pair[8], 8, (uint64_t)commit->accounts[i].last_change);
		buf_add(out, pair, sizeof(pair));
	}
	buf_add(out, commit->mark, mark);
	buf_add_slice(out, commit->changes);
}

bool commit_read(struct slice *rest, struct frame_commit *commit_out)
{
	const char *head = rest->ptr;
	size_t accounts, mark;
	uint64_t changes;

	if (rest->len < COMMIT_HEAD)
		return false;
	accounts = (size_t)get_int(&head[16], 4) * 16;
	mark = (size_t)get_int(&head[20], 4);
	changes = get_int(&head[24], 8);
	if (changes > rest->len || rest->len - COMMIT_HEAD - changes > rest->len ||
	    rest->len - COMMIT_HEAD - changes < accounts + mark)
		return false;
	commit_out->number = (int64_t)get_int(&head[0], 8);
	commit_out->at = (int64_t)get_int(&head[8], 8);
	commit_out->accounts = &head[COMMIT_HEAD];
	commit_out->account_count = accounts / 16;
	commit_out->mark = (struct slice){&head[COMMIT_HEAD + accounts], mark};
	commit_out->changes = (struct slice){&head[COMMIT_HEAD + accounts + mark], (size_t)changes};
	rest->ptr += COMMIT_HEAD + accounts + mark + changes;
	rest->len -= COMMIT_HEAD + accounts + mark + (size_t)changes;
	return true;
}

bool commit_account(const struct frame_commit *commit, int64_t id, int64_t *last_change_out)
{
	for (size_t i = 0; i < commit->account_count; i++) {
		const char *pair = &commit->accounts[16 * i];

		if ((int64_t)get_int(pair, 8) != id)
			continue;
		*last_change_out = (int64_t)get_int(&pair[8], 8);
		return true;
	}
	return false;
}
