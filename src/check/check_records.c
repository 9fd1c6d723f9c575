/* SPDX-License-Identifier: MIT */
/* The rules of docket check that read every record. They check its values and texts by its field
 * table, and compare it with its last change in the history. Also the rule about the settings of
 * accounts. */
#include "accounts/account_row.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "codec/codec.h"
#include "check_private.h"
#include "sql/values.h"

#define DAY_MINUTES (24 * 60)
#define KEPT_ROWS 256 /* memory is freed after so many rows */

/* One pass over a table. */
struct walk {
	struct check *check;
	enum record_kind kind;
	const struct record_type *type;
	struct arena arena; /* for the last rows */
	size_t rows;
	int64_t account_id, id; /* of the current row */
	bool at_fault;          /* one of its values is wrong */
};

static enum err walk_report(struct walk *walk, enum check_rule rule, const char *what)
{
	const struct check_entry entry = {
		.account_id = walk->account_id,
		.record = walk->type->name,
		.id = walk->id,
		.what = what,
	};

	return check_add(walk->check, &walk->check->results[rule], &entry);
}

static enum err walk_report_field(struct walk *walk, enum check_rule rule, const char *field,
				  const char *part, const char *message)
{
	const char *what = arena_printf(&walk->arena, "%s%s%s %s", field, part ? "." : "",
					part ? part : "", message);

	walk->at_fault = true;
	return what ? walk_report(walk, rule, what) : ERR_NOMEM;
}

static bool in_range(const struct field *field, const struct db_value *value)
{
	int64_t choices = 0;

	if (value->type == DB_NULL)
		return field->type == FIELD_ID ||
		       (field->type == FIELD_TIMESTAMP && !(field->flags & FIELD_ALWAYS)) ||
		       (field->type == FIELD_DATE &&
			!(field->flags & (FIELD_ALWAYS | FIELD_REQUIRED)));
	switch (field->type) {
	case FIELD_ID:
		return value->integer > 0;
	case FIELD_CHOICE:
		while (field->choices && field->choices[choices])
			choices++;
		return value->integer >= 0 && (!field->choices || value->integer < choices);
	case FIELD_BOOL:
		return value->integer == 0 || value->integer == 1;
	case FIELD_DATE:
		return value->integer >= DATE_MIN && value->integer <= DATE_MAX;
	case FIELD_TIMESTAMP:
		return value->integer >= TIME_MIN && value->integer <= TIME_MAX;
	case FIELD_TEXT:
	case FIELD_ADDRESS:
	case FIELD_ID_LIST:
	case FIELD_TYPES:
		break;
	}
	return true;
}

static enum err check_text(struct walk *walk, const struct field *field, const char *part,
			   const struct field *row, struct slice text)
{
	struct faults faults;

	if (!text_is_utf8(text))
		return walk_report_field(walk, CHECK_TEXTS, field->name, part, "is not UTF-8");
	faults_init(&faults, &walk->arena);
	if (field_check_text(row, text, field->name, &faults))
		return OK;
	/* Earlier versions took only white space for blank. */
	if (faults.count == 1 && faults.first->code == FAULT_BLANK && text_trim(text).len)
		return walk_report(walk, CHECK_BLANK, field->name);
	return faults.first ? walk_report_field(walk, CHECK_TEXTS, field->name, part,
						faults.first->message)
			    : ERR_NOMEM;
}

/* An address has all of its parts or none. */
static enum err check_address(struct walk *walk, const struct field *field,
			      const struct db_value *values)
{
	enum err err = OK;

	for (size_t i = 0; i < ADDRESS_PARTS && !err; i++)
		if ((values[i].type == DB_NULL) != (values[0].type == DB_NULL))
			return walk_report_field(walk, CHECK_VALUES, field->name, NULL,
						 "has only some of its parts");
	for (size_t i = 0; i < ADDRESS_PARTS && !err; i++)
		err = check_text(walk, field, address_parts[i].name, &address_parts[i],
				 values[i].bytes);
	return err;
}

static enum err check_fields(struct walk *walk, const struct db_value *values)
{
	enum err err = OK;

	for (size_t i = 0; i < walk->type->field_count && !err; i++) {
		const struct field *field = &walk->type->fields[i];

		if (field->type == FIELD_TEXT)
			err = check_text(walk, field, NULL, field, values->bytes);
		else if (field->type == FIELD_ADDRESS)
			err = check_address(walk, field, values);
		else if (field->type != FIELD_ID_LIST && !in_range(field, values))
			err = walk_report_field(walk, CHECK_VALUES, field->name, NULL,
						"is out of range");
		values += field->type == FIELD_ID_LIST ? 1 : field_columns(field);
	}
	return err;
}

/* Folds can be checked only if the database and this program have the same version of Unicode. */
static enum err check_folds(struct walk *walk, const void *record)
{
	void *after = arena_alloc(&walk->arena, walk->type->size);
	bool differ = false;
	enum err err;

	if (strcmp(walk->check->unicode, text_unicode_version()) != 0)
		return OK;
	err = after ? folds_of(walk->kind, record, &walk->arena, after, &differ) : ERR_NOMEM;
	return !err && differ ? walk_report(walk, CHECK_FOLDS, NULL) : err;
}

/* Compares a record with its last change in the history. If the history has none, another rule
 * reports it. */
static enum err check_history(struct walk *walk, const void *record, const struct db_value *value)
{
	struct buf now = {0};
	char name[64];
	enum err err = OK;

	if (value->type == DB_NULL)
		return OK;
	encode_record(walk->type, record, &now);
	if (now.failed)
		err = ERR_NOMEM;
	else if (encoded_differs(value->bytes, buf_slice(&now), name))
		err = walk_report_field(walk, CHECK_HISTORY_VALUES, name, NULL, "differs");
	buf_release(&now);
	return err;
}

/* The columns are the record's, then the value of its last change in the history, then the
 * account. */
static enum err record_row(void *context, const struct db_value *values, size_t count)
{
	struct walk *walk = context;
	void *record;
	enum err err;

	if (++walk->rows % KEPT_ROWS == 0)
		arena_release(&walk->arena);
	walk->account_id = values[count - 1].integer;
	walk->id = values[1].integer;
	walk->at_fault = false;
	err = check_fields(walk, values + 1);
	if (err || walk->at_fault)
		return err;
	record = arena_alloc(&walk->arena, walk->type->size);
	err = record ? record_from_row(walk->type, values, count - 2, &walk->arena, record)
		     : ERR_NOMEM;
	if (!err)
		err = check_folds(walk, record);
	return err ? err : check_history(walk, record, &values[count - 2]);
}

static enum err walk_kind(struct check *check, enum record_kind kind)
{
	const struct record_type *type = record_types[kind];
	const struct db_driver *driver = check->store->driver;
	struct walk walk = {.check = check, .kind = kind, .type = type};
	struct db_call call = {.on_row = record_row, .context = &walk, .many = true};
	const char *from = arena_printf(
		check->arena,
		", (SELECT h.value FROM history h WHERE h.account_id = %s.account_id"
		" AND h.change = %s.change AND h.record = '%s' AND h.record_id = %s.id),"
		" account_id FROM %s",
		type->table, type->table, type->name, type->table, type->table);
	enum err err;

	call.sql = from ? record_select(sql_dialect(driver), type, from, check->arena) : NULL;
	err = call.sql ? driver->run(check->db, &call, 1) : ERR_NOMEM;
	arena_release(&walk.arena);
	return err;
}

enum err check_records(struct check *check)
{
	enum err err = OK;

	for (enum record_kind kind = 0; kind < RECORD_KINDS && !err; kind++)
		err = walk_kind(check, kind);
	return err;
}

static enum err account_row(void *context, const struct db_value *values, size_t count)
{
	struct check *check = context;
	struct check_entry entry = {
		.account_id = values[0].integer, .record = "account", .id = values[0].integer};
	struct arena arena = {0};
	struct account account;
	struct faults faults;
	enum err err = account_from_row(values, &arena, &account);

	faults_init(&faults, &arena);
	if (!err && !account_name_is_valid(account.name))
		entry.what = "name is not a label of a host name";
	else if (values[3].integer < 0 || values[3].integer > 1)
		entry.what = "require_case is neither on nor off";
	else if (values[5].integer < 0 || values[5].integer >= DAY_MINUTES)
		entry.what = "alert_minute is not a minute of a day";
	for (size_t i = 0; i < count && !err; i++)
		if (values[i].type == DB_TEXT && !text_is_utf8(values[i].bytes))
			entry.what = "has a text that is not UTF-8";
	if (!err && !entry.what) {
		account.time_zone = SLICE("UTC"); /* check_zones.c checks it */
		account_check(&account, &faults);
		if (faults.first)
			entry.what = arena_printf(&arena, "%s %s", faults.first->field,
						  faults.first->message);
	}
	if (!err && entry.what)
		err = check_add(check, &check->results[CHECK_ACCOUNTS], &entry);
	arena_release(&arena);
	return err;
}

enum err check_accounts(struct check *check)
{
	const struct db_call call = {
		.sql = "SELECT " ACCOUNT_COLUMNS " FROM account a ORDER BY id",
		.on_row = account_row,
		.context = check,
	};

	return check->store->driver->run(check->db, &call, 1);
}
