/* SPDX-License-Identifier: MIT */
/* Creates, finds, lists and changes accounts. */
#include "base/timefmt.h"
#include "model/calendar.h"
#include "accounts/account_row.h"
#include "accounts/account_calendar.h"
#include "records/record_change.h"
#include "token_insert.h"

#define SELECT_ACCOUNTS "SELECT " ACCOUNT_COLUMNS " FROM account a WHERE "
/* Excludes accounts that are being removed: their names begin with a hyphen (account_remove.c). */
#define STANDING " AND name NOT LIKE '-%'"

static enum err account_keep_text(struct arena *arena, struct slice text, struct slice *kept_out)
{
	const char *copy = arena_copy(arena, text);

	if (!copy)
		return ERR_NOMEM;
	*kept_out = (struct slice){copy, text.len};
	return OK;
}

enum err account_from_row(const struct db_value *values, struct arena *arena,
			  struct account *account_out)
{
	struct account account = {
		.id = values[0].integer,
		.require_case = values[3].integer != 0,
		.alert_minute = (int32_t)values[5].integer,
	};
	enum err err = account_keep_text(arena, values[1].bytes, &account.name);

	if (!err)
		err = account_keep_text(arena, values[2].bytes, &account.country);
	if (!err)
		err = account_keep_text(arena, values[4].bytes, &account.expand);
	if (!err)
		err = account_keep_text(arena, values[6].bytes, &account.time_zone);
	if (!err)
		*account_out = account;
	return err;
}

struct found {
	struct arena *arena;
	struct account account;
	size_t count;
};

static enum err account_found_row(void *context, const struct db_value *values, size_t count)
{
	struct found *found = context;

	(void)count;
	found->count++;
	return account_from_row(values, found->arena, &found->account);
}

enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out)
{
	const struct db_value args[] = {DB_TEXT_VALUE(slice_of(name))};
	struct found found = {.arena = arena};
	const struct db_call by_name = {SELECT_ACCOUNTS "name = $1" STANDING, args, 1,
					account_found_row, &found};
	const struct db_call any = {.sql = SELECT_ACCOUNTS "1 = 1" STANDING " ORDER BY id LIMIT 2",
				    .on_row = account_found_row,
				    .context = &found};
	enum err err = store_read_now(store, name ? &by_name : &any, 1);

	if (err)
		return err;
	if (found.count == 1)
		*account_out = found.account;
	return found.count == 1 ? OK : found.count ? ERR_EXISTS : ERR_NOT_FOUND;
}

enum err store_last_time(struct store *store, int64_t *at_out)
{
	const struct db_call call = {
		.sql = "SELECT max(last_at) FROM account_state s JOIN account a"
		       " ON a.id = s.account_id WHERE last_change > 0" STANDING,
		.on_row = db_number,
		.context = at_out};

	*at_out = TIME_MIN;
	return store_read_now(store, &call, 1);
}

struct listing {
	struct arena *arena;
	store_record_fn *on_record;
	void *context;
};

static enum err account_listing_row(void *context, const struct db_value *values, size_t count)
{
	struct listing *listing = context;
	struct account account;
	enum err err = account_from_row(values, listing->arena, &account);

	(void)count;
	return err ? err : listing->on_record(listing->context, &account);
}

enum err store_accounts(struct store *store, struct arena *arena, store_record_fn *on_account,
			void *context)
{
	struct listing listing = {arena, on_account, context};
	const struct db_call call = {.sql = SELECT_ACCOUNTS "1 = 1" STANDING " ORDER BY name",
				     .on_row = account_listing_row,
				     .context = &listing};

	return store_read_now(store, &call, 1);
}

static enum err account_zone_row(void *context, const struct db_value *values, size_t count)
{
	struct listing *listing = context;
	const struct account_zone zone = {.zone = values[0].bytes, .account = values[1].bytes};

	(void)count;
	return listing->on_record(listing->context, &zone);
}

enum err store_account_zones(struct store *store, store_record_fn *on_zone, void *context)
{
	struct listing listing = {NULL, on_zone, context};
	const struct db_call call = {
		.sql = "SELECT time_zone, name FROM account WHERE 1 = 1" STANDING
		       " UNION SELECT s.time_zone, a.name FROM staff s"
		       " JOIN account a ON a.id = s.account_id WHERE 1 = 1" STANDING
		       " ORDER BY 1, 2",
		.on_row = account_zone_row,
		.context = &listing};

	return store_read_now(store, &call, 1);
}

static enum err full_address_row(void *context, const struct db_value *values, size_t count)
{
	const struct listing *listing = context;

	(void)count;
	return listing->on_record(listing->context, &values[0].bytes);
}

enum err store_full_addresses(struct store *store, store_record_fn *on_address, void *context)
{
	const struct db_value args[] = {DB_INT_VALUE(STAFF_FULL)};
	struct listing listing = {NULL, on_address, context};
	const struct db_call call = {"SELECT DISTINCT s.email FROM staff s"
				     " JOIN account a ON a.id = s.account_id"
				     " WHERE s.access_level = $1 AND s.email <> ''" STANDING
				     " ORDER BY 1",
				     args, 1, full_address_row, &listing};

	return store_read_now(store, &call, 1);
}

static struct account_create *create_of(struct store_write *write)
{
	return (struct account_create *)(void *)write;
}

static enum err account_create_read(struct store_write *write, struct calls *calls)
{
	struct account_create *create = create_of(write);
	enum err err = record_begin(write, RECORD_STAFF, create->staff, &create->asked);

	create->exists = false;
	if (!err)
		err = calls_add(calls, write->store->sql.lock_given, NULL, 0, db_number,
				&create->last_id);
	return err ? err
		   : calls_ask(calls, "SELECT id FROM account WHERE name = $1", any_row,
			       &create->exists, DB_TEXT_VALUE(slice_of(create->name)));
}

enum err account_insert_calendar(struct store_write *write, struct calls *calls)
{
	static const struct calendar calendar = {.record.id = 1, .name = SLICE("Tasks")};

	return record_insert_copy(write, RECORD_CALENDAR, &calendar, calls);
}

static enum err account_create_decide(struct store_write *write, struct calls *calls)
{
	struct account_create *create = create_of(write);
	int64_t id = create->last_id + 1;
	enum err err;

	if (create->exists)
		return OK;
	write->scope.account_id = id;
	err = calls_ask(calls, "INSERT INTO account (id, name, created_at) VALUES ($1, $2, $3)",
			NULL, NULL, DB_INT_VALUE(id), DB_TEXT_VALUE(slice_of(create->name)),
			DB_INT_VALUE(write->now));
	if (!err)
		err = calls_ask(calls, "INSERT INTO account_state (account_id) VALUES ($1)", NULL,
				NULL, DB_INT_VALUE(id));
	if (!err)
		err = calls_ask(calls, "UPDATE given SET last = $1 WHERE name = 'account'", NULL,
				NULL, DB_INT_VALUE(id));
	if (!err)
		err = record_insert(write, RECORD_STAFF, create->staff, calls);
	if (!err)
		err = account_insert_calendar(write, calls);
	return err ? err : token_insert(write, &create->token, calls);
}

void account_create_init(struct account_create *create)
{
	static const struct write_steps steps = {.read = account_create_read,
						 .decide = account_create_decide,
						 .makes_account = true};

	*create = (struct account_create){.write = {.steps = &steps}};
}

static struct account_set *set_of(struct store_write *write)
{
	return (struct account_set *)(void *)write;
}

static enum err account_before_row(void *context, const struct db_value *values, size_t count)
{
	struct account_set *set = context;

	(void)count;
	return account_from_row(values, set->write.arena, &set->before);
}

/* The account's state is locked, so no other such write changes the row meanwhile. */
static enum err account_set_read(struct store_write *write, struct calls *calls)
{
	struct account_set *set = set_of(write);

	return calls_ask(calls, SELECT_ACCOUNTS "id = $1", account_before_row, set,
			 DB_INT_VALUE(write->scope.account_id));
}

static void account_merge(struct account_set *set)
{
	const struct account *new = set->account;
	struct account *after = &set->after;

	*after = set->before;
	if (set->given & ACCOUNT_COUNTRY)
		after->country = new->country;
	if (set->given & ACCOUNT_REQUIRE_CASE)
		after->require_case = new->require_case;
	if (set->given & ACCOUNT_EXPAND)
		after->expand = new->expand;
	if (set->given & ACCOUNT_ALERT_MINUTE)
		after->alert_minute = new->alert_minute;
	if (set->given & ACCOUNT_TIME_ZONE)
		after->time_zone = new->time_zone;
}

static bool account_is_same(const struct account *a, const struct account *b)
{
	return slice_eq(a->country, b->country) && a->require_case == b->require_case &&
	       slice_eq(a->expand, b->expand) && a->alert_minute == b->alert_minute &&
	       slice_eq(a->time_zone, b->time_zone);
}

static enum err account_set_decide(struct store_write *write, struct calls *calls)
{
	struct account_set *set = set_of(write);
	const struct account *account = &set->after;

	account_merge(set);
	if (account_is_same(&set->before, account))
		return OK;
	return calls_ask(calls,
			 "UPDATE account SET country = $2, require_case = $3, expand = $4,"
			 " alert_minute = $5, time_zone = $6 WHERE id = $1",
			 NULL, NULL, DB_INT_VALUE(write->scope.account_id),
			 DB_TEXT_VALUE(account->country), DB_INT_VALUE(account->require_case),
			 DB_TEXT_VALUE(account->expand), DB_INT_VALUE(account->alert_minute),
			 DB_TEXT_VALUE(account->time_zone));
}

void account_set_init(struct account_set *set)
{
	static const struct write_steps steps = {.read = account_set_read,
						 .decide = account_set_decide};

	*set = (struct account_set){.write = {.steps = &steps}};
}
