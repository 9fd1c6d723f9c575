/* SPDX-License-Identifier: MIT */
/* The audit log: what administrators did by commands, who did it, and when. It belongs to the
 * database, not to an account, because it outlives accounts. Its entries are a chain, like those of
 * the history; docs/history.md has the canonical form.
 *
 * An entry is stored in the transaction of what it tells about:
 *
 *	struct audit_write audit;
 *
 *	audit_write_init(&audit, &set.write, "account set");
 *	audit.account = account.name;
 *	audit.describe = describe_set;
 *	audit.context = &set;
 *	err = store_write(store, &audit.write);
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/user.h"
#include "base/buf.h"
#include "store/store.h"

struct audit_entry {
	int64_t number;                       /* from 1, without gaps */
	int64_t at;                           /* never before that of the entry before it */
	int64_t uid;                          /* see struct audit_user */
	struct slice username, sudo_username; /* len 0: none */
	struct slice command;                 /* such as "staff set" */
	int64_t account_id;                   /* ID_NONE: none */
	struct slice account;                 /* its name at that time; len 0: none */
	/* What was done: a JSON object. ptr NULL: it was removed, with the account. */
	struct slice details;
	struct slice salt; /* SALT_BYTES; ptr NULL: there are no details */
	struct slice digest, hash;
};

/* A write that also stores its audit entry. */
struct audit_write {
	struct store_write write;
	struct store_write *inner;
	const struct audit_user *by; /* who does it; at first the user of this process */
	const char *command;
	struct slice account; /* its name; len 0: none */
	/* Called after the inner write has decided; it may be called more than once. Writes the
	 * details, a JSON object. If it writes nothing, nothing was done and there is no entry. */
	enum err (*describe)(void *context, struct buf *details);
	void *context;

	/* The log's own. */
	struct write_steps steps;
	struct audit_user process;
	int64_t last, last_at;
	unsigned char head[DIGEST_BYTES];
};

/* The arena and the faults of `inner` must be set: both writes use them. `audit` then is the write
 * to run; the caller looks at `inner` for what it found. */
void audit_write_init(struct audit_write *audit, struct store_write *inner, const char *command);

/* A write that does nothing. Use it as `inner` if the entry is about something that is no write of
 * the store. */
void audit_nothing_init(struct store_write *nothing);

/* Adds an entry about no account to a database, in the open transaction, in the name of the user
 * that this process runs as. Does nothing if the schema is too old to have the log. */
enum err audit_append(struct db *db, const char *command, struct slice details, int64_t now);

/* Which entries to read. */
struct audit_filter {
	struct slice account; /* the entries that had this account name then, and those of the
			       * account that has it now; len 0: all */
	int64_t since, until; /* inclusive */
	int64_t limit;        /* at most this many, the latest */
};

typedef enum err audit_fn(void *context, const struct audit_entry *entry);

/* Reads entries, the latest first. An entry lives until on_entry() returns. */
enum err audit_read(struct store *store, const struct audit_filter *filter, audit_fn *on_entry,
		    void *context);

/* Called with the number of the first entry that breaks the chain, and with what is wrong. */
typedef enum err audit_break_fn(void *context, int64_t number, const char *what);

/* Verifies the chain and that no entry is missing. Details may be missing only in an entry of an
 * account that is gone or is being removed. Call it in a transaction, so that it sees one snapshot.
 * Reports only the first break, because all entries after it depend on it. */
enum err audit_verify(struct db *db, audit_break_fn *on_break, void *context);

#endif
