/* SPDX-License-Identifier: MIT */
/* Entries of the audit log as rows. */
#ifndef AUDIT_AUDIT_PRIVATE_H
#define AUDIT_AUDIT_PRIVATE_H

#include "audit/audit.h"
#include "sql/calls.h"

#define AUDIT_COLUMNS                                                                       \
	"number, at, uid, username, sudo_username, command, account_id, account, details, " \
	"salt, digest, hash"
#define AUDIT_COLUMNS_COUNT 12

/* Reads a row with these columns; does not copy texts. */
void audit_from_row(const struct db_value *values, struct audit_entry *entry_out);

/* The digest of the details. */
void audit_digest(const struct audit_entry *entry, unsigned char digest_out[DIGEST_BYTES]);

/* The hash of an entry, whose digest is set. `before` is the hash of the entry before it; all zero
 * for the first. */
void audit_hash(const struct audit_entry *entry, const unsigned char before[DIGEST_BYTES],
		unsigned char hash_out[DIGEST_BYTES]);

#endif
