/* SPDX-License-Identifier: MIT */
/* An entry of the history: one change of a record. Its hash covers the hash of the entry before it,
 * so the entries of an account are a chain. It covers a digest of the value in place of the value.
 * docs/history.md has the canonical form. */
#ifndef RECORDS_HISTORY_ENTRY_H
#define RECORDS_HISTORY_ENTRY_H

#include <stdint.h>

#include "base/digest.h"
#include "base/slice.h"

/* The kind of record of an entry that is about a chain that docket has replaced by a new one. Its
 * record_id is the last change number of that chain, its value has the hash of that change. */
#define HISTORY_CHAIN_KIND "chain"

struct history_entry {
	int64_t account_id;
	int64_t change;
	int64_t at;
	int64_t staff_id;    /* who changed the record; ID_NONE: docket itself */
	struct slice record; /* the name of the record's kind */
	int64_t record_id;
	struct slice action;     /* "create", "update" or "delete" */
	struct slice value;      /* the record after it, as in the API; ptr NULL: deleted */
	struct slice request_id; /* the id of the request that made the change; ptr NULL: none */
	struct slice salt;       /* SALT_BYTES; ptr NULL: there is no value */
	struct slice digest;     /* of a value that was removed; ptr NULL: none was */
};

/* The hash of an entry. `before` is the hash of the entry before it; all zero for the first. */
void history_hash(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
		  unsigned char hash_out[DIGEST_BYTES]);
/* The same in schemas before HISTORY_DIGESTS_SCHEMA, whose entries have no salt. */
void history_hash_plain(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
			unsigned char hash_out[DIGEST_BYTES]);

#endif
