/* SPDX-License-Identifier: MIT */
/* The hash of an entry of the history. */
#include "records/history_entry.h"

/* A missing text has another digest than an empty one. */
static void digest_add_text(struct digest *digest, struct slice text)
{
	digest_add_int(digest, text.ptr ? (int64_t)text.len : -1);
	if (text.ptr)
		digest_add(digest, text);
}

/* `content` stands for the value. */
static void entry_hash(const struct history_entry *entry, struct slice content,
		       const unsigned char before[DIGEST_BYTES],
		       unsigned char hash_out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)before, DIGEST_BYTES});
	digest_add_int(&digest, entry->account_id);
	digest_add_int(&digest, entry->change);
	digest_add_int(&digest, entry->at);
	digest_add_int(&digest, entry->staff_id);
	digest_add_text(&digest, entry->record);
	digest_add_int(&digest, entry->record_id);
	digest_add_text(&digest, entry->action);
	digest_add_text(&digest, content);
	digest_add_text(&digest, entry->request_id);
	digest_final(&digest, hash_out);
}

void history_hash(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
		  unsigned char hash_out[DIGEST_BYTES])
{
	unsigned char bytes[DIGEST_BYTES];
	struct slice content = entry->digest;
	struct digest digest;

	if (entry->value.ptr) {
		digest_init(&digest);
		digest_add(&digest, entry->salt);
		digest_add(&digest, entry->value);
		digest_final(&digest, bytes);
		content = (struct slice){(const char *)bytes, sizeof(bytes)};
	}
	entry_hash(entry, content, before, hash_out);
}

void history_hash_plain(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
			unsigned char hash_out[DIGEST_BYTES])
{
	entry_hash(entry, entry->value, before, hash_out);
}
