/* SPDX-License-Identifier: MIT */
/* One change of a record, as the history keeps it: a link of the account's chain of digests.
 * docs/history.md has the canonical form. */
#ifndef RECORDS_HISTORY_ENTRY_H
#define RECORDS_HISTORY_ENTRY_H

#include <stdint.h>

#include "base/digest.h"
#include "base/slice.h"

struct history_entry {
	int64_t account_id;
	int64_t change;
	int64_t at;
	int64_t staff_id;    /* ID_NONE: docket itself */
	struct slice record; /* the name of its kind */
	int64_t record_id;
	struct slice action;     /* "create", "update" or "delete" */
	struct slice value;      /* the record after it, as the API writes it; ptr NULL: deleted */
	struct slice request_id; /* that made it; ptr NULL: none did */
};

/* The hash of an entry behind the one that has the hash `before`; of the first that is all zero. */
void history_hash(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
		  unsigned char hash_out[DIGEST_BYTES]);

#endif
