/* SPDX-License-Identifier: MIT */
/* The chain of the audit log. */
#include "audit_private.h"
#include "base/timefmt.h"

static void entry_add_text(struct digest *digest, struct slice text)
{
	digest_add_int(digest, (int64_t)text.len);
	digest_add(digest, text);
}

void audit_digest(const struct audit_entry *entry, unsigned char digest_out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, entry->salt);
	digest_add(&digest, entry->details);
	digest_final(&digest, digest_out);
}

void audit_hash(const struct audit_entry *entry, const unsigned char before[DIGEST_BYTES],
		unsigned char hash_out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)before, DIGEST_BYTES});
	digest_add_int(&digest, entry->number);
	digest_add_int(&digest, entry->at);
	digest_add_int(&digest, entry->uid);
	entry_add_text(&digest, entry->username);
	entry_add_text(&digest, entry->sudo_username);
	entry_add_text(&digest, entry->command);
	digest_add_int(&digest, entry->account_id);
	entry_add_text(&digest, entry->account);
	entry_add_text(&digest, entry->digest);
	digest_final(&digest, hash_out);
}

static struct slice bytes_of_value(const struct db_value *value)
{
	return value->type == DB_NULL ? (struct slice){NULL, 0} : value->bytes;
}

void audit_from_row(const struct db_value *values, struct audit_entry *entry_out)
{
	*entry_out = (struct audit_entry){
		.number = values[0].integer,
		.at = values[1].integer,
		.uid = values[2].integer,
		.username = bytes_of_value(&values[3]),
		.sudo_username = bytes_of_value(&values[4]),
		.command = bytes_of_value(&values[5]),
		.account_id = values[6].integer,
		.account = bytes_of_value(&values[7]),
		.details = bytes_of_value(&values[8]),
		.salt = bytes_of_value(&values[9]),
		.digest = bytes_of_value(&values[10]),
		.hash = bytes_of_value(&values[11]),
	};
}

/* Whether the account of an entry is there. While its data is deleted, its name begins with a
 * hyphen. */
#define ACCOUNT_IS_THERE                                                \
	"(SELECT count(*) FROM account a WHERE a.id = audit.account_id" \
	" AND a.name NOT LIKE '-%')"

struct verification {
	audit_break_fn *on_break;
	void *context;
	unsigned char head[DIGEST_BYTES];
	int64_t last; /* the number of the last entry that was read */
	int64_t given;
	bool broken;
};

static enum err verification_report(struct verification *verification, int64_t number,
				    const char *what)
{
	verification->broken = true;
	return verification->on_break(verification->context, number, what);
}

static bool is_hash(struct slice bytes, const unsigned char hash[DIGEST_BYTES])
{
	return slice_eq(bytes, (struct slice){(const char *)hash, DIGEST_BYTES});
}

/* Removed details have neither a salt nor a text. Only those of a removed account are removed. */
static bool details_fit(const struct audit_entry *entry, bool account_removed)
{
	unsigned char digest[DIGEST_BYTES];

	if (!entry->details.ptr)
		return account_removed && !entry->salt.ptr && entry->digest.len == DIGEST_BYTES;
	audit_digest(entry, digest);
	return entry->salt.len == SALT_BYTES && is_hash(entry->digest, digest);
}

static enum err verification_row(void *context, const struct db_value *values, size_t count)
{
	struct verification *verification = context;
	struct audit_entry entry;
	bool account_removed;

	if (count != AUDIT_COLUMNS_COUNT + 1)
		return ERR_INTERNAL;
	if (verification->broken)
		return OK;
	audit_from_row(values, &entry);
	if (entry.number != verification->last + 1)
		return verification_report(verification, verification->last + 1, "missing");
	verification->last = entry.number;
	audit_hash(&entry, verification->head, verification->head);
	account_removed = entry.account_id != ID_NONE && values[AUDIT_COLUMNS_COUNT].integer == 0;
	if (details_fit(&entry, account_removed) && is_hash(entry.hash, verification->head))
		return OK;
	return verification_report(verification, entry.number, "is not as it was written");
}

enum err audit_verify(struct db *db, audit_break_fn *on_break, void *context)
{
	struct verification verification = {.on_break = on_break, .context = context};
	const struct db_call calls[] = {
		{.sql = "SELECT last FROM given WHERE name = 'audit'",
		 .on_row = db_number,
		 .context = &verification.given},
		{.sql = "SELECT " AUDIT_COLUMNS ", " ACCOUNT_IS_THERE " FROM audit ORDER BY number",
		 .on_row = verification_row,
		 .context = &verification,
		 .many = true},
	};
	enum err err = db->driver->run(db, calls, COUNT_OF(calls));

	if (!err && !verification.broken && verification.last < verification.given)
		err = verification_report(&verification, verification.last + 1, "missing");
	if (!err && !verification.broken && verification.last > verification.given)
		err = verification_report(&verification, verification.last,
					  "has a number above the last one that was given out");
	return err;
}
