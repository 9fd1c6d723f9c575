/* SPDX-License-Identifier: MIT */
/* A create that is sent again with its Idempotency-Key gets the first answer again. The key is
 * stored in the transaction of the create, under the account's lock. So if two processes get the
 * same key at once, the second finds the key of the first. Within one process the second is refused
 * while the first is in progress. */
#include "idempotency.h"

#define KEPT_SECONDS (24 * 60 * 60)

static void key_set_hash(struct idempotency *key, int64_t account_id)
{
	struct digest digest;

	digest_init(&digest);
	digest_add_int(&digest, account_id);
	digest_add(&digest, slice_of(key->route));
	digest_add(&digest, (struct slice){"", 1});
	digest_add(&digest, key->key);
	digest_final(&digest, key->name);
}

static struct idempotency **keys_bucket(struct keys *keys, const struct idempotency *key)
{
	return &keys->buckets[key->name[0] % FIELD_COUNT(keys->buckets)];
}

enum err idempotency_begin(struct keys *keys, struct store_write *write)
{
	struct idempotency *key = write->key, **at;

	if (!key)
		return OK;
	key_set_hash(key, write->scope.account_id);
	pthread_mutex_lock(&keys->lock);
	at = keys_bucket(keys, key);
	while (*at && memcmp((*at)->name, key->name, DIGEST_BYTES) != 0)
		at = &(*at)->next;
	if (!*at) {
		key->next = NULL;
		*at = key;
		at = NULL;
	}
	pthread_mutex_unlock(&keys->lock);
	return at ? ERR_IN_PROGRESS : OK;
}

void idempotency_end(struct keys *keys, struct store_write *write)
{
	struct idempotency **at;

	if (!write->key)
		return;
	pthread_mutex_lock(&keys->lock);
	at = keys_bucket(keys, write->key);
	while (*at != write->key)
		at = &(*at)->next;
	*at = write->key->next;
	pthread_mutex_unlock(&keys->lock);
}

static enum err idempotency_row(void *context, const struct db_value *values, size_t count)
{
	struct store_write *write = context;
	struct idempotency *key = write->key;
	struct slice *text;
	bool many;

	if (count != 6 || values[1].bytes.len != DIGEST_BYTES)
		return ERR_CORRUPT;
	many = values[3].type == DB_TEXT;
	key->found = true;
	key->at = values[0].integer;
	memcpy(key->found_hash, values[1].bytes.ptr, DIGEST_BYTES);
	key->change = values[2].integer;
	key->record_id = values[5].integer;
	key->found_changes = key->value = (struct slice){NULL, 0};
	text = many ? &key->found_changes : &key->value;
	*text = values[many ? 3 : 4].bytes;
	text->ptr = arena_copy(write->arena, *text);
	return text->ptr ? OK : ERR_NOMEM;
}

enum err idempotency_read(struct store_write *write, struct calls *calls)
{
	write->key->found = write->key->again = false;
	write->key->values = NULL;
	write->key->value_count = 0;
	return calls_ask(calls,
			 "SELECT i.at, i.body_hash, i.change, i.answer, h.value, h.record_id"
			 " FROM idempotency i JOIN history h"
			 " ON h.account_id = i.account_id AND h.change = i.change"
			 " WHERE i.account_id = $1 AND i.route = $2 AND i.key = $3",
			 idempotency_row, write, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(slice_of(write->key->route)),
			 DB_TEXT_VALUE(write->key->key));
}

bool idempotency_knows(const struct store_write *write)
{
	const struct idempotency *key = write->key;

	return key && key->found && key->at >= write->now - KEPT_SECONDS;
}

static bool key_has_body(const struct idempotency *key)
{
	return memcmp(key->found_hash, key->body_hash, DIGEST_BYTES) == 0;
}

static enum err key_value_row(void *context, const struct db_value *values, size_t count)
{
	struct store_write *write = context;
	struct slice *value = &write->key->values[write->key->value_count++];

	(void)count;
	*value = (struct slice){arena_copy(write->arena, values[0].bytes), values[0].bytes.len};
	return value->ptr ? OK : ERR_NOMEM;
}

enum err idempotency_read_more(struct store_write *write, struct calls *calls)
{
	struct idempotency *key = write->key;
	size_t most = 1;

	if (!key->found_changes.ptr || !key_has_body(key))
		return OK;
	for (size_t i = 0; i < key->found_changes.len; i++)
		most += key->found_changes.ptr[i] == ',';
	key->values = arena_alloc(write->arena, most * sizeof(*key->values));
	if (!key->values)
		return ERR_NOMEM;
	return calls_ask(calls, write->store->sql.read_values, key_value_row, write,
			 DB_INT_VALUE(write->scope.account_id), DB_TEXT_VALUE(key->found_changes));
}

bool idempotency_answers(struct store_write *write)
{
	struct idempotency *key = write->key;

	if (!idempotency_knows(write))
		return false;
	/* The body was accepted before; faults that it has by newer rules do not count. */
	faults_init(write->faults, write->faults->arena);
	key->again = key_has_body(key);
	if (!key->again)
		faults_add(write->faults, "Idempotency-Key", FAULT_MISMATCH,
			   "was used before with another body");
	return true;
}

enum err idempotency_add(struct store_write *write, struct calls *calls)
{
	const struct idempotency *key = write->key;
	const struct db_value account = DB_INT_VALUE(write->scope.account_id);
	enum err err = calls_ask(calls, "DELETE FROM idempotency WHERE account_id = $1 AND at < $2",
				 NULL, NULL, account, DB_INT_VALUE(write->now - KEPT_SECONDS));

	if (err)
		return err;
	return calls_ask(
		calls,
		"INSERT INTO idempotency (account_id, route, key, at, body_hash,"
		" change, answer) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		NULL, NULL, account, DB_TEXT_VALUE(slice_of(key->route)), DB_TEXT_VALUE(key->key),
		DB_INT_VALUE(write->now),
		DB_BYTES_VALUE(((struct slice){(const char *)key->body_hash, DIGEST_BYTES})),
		DB_INT_VALUE(write->account->last_change),
		key->changes.ptr ? DB_TEXT_VALUE(key->changes) : DB_NULL_VALUE);
}
