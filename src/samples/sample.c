/* SPDX-License-Identifier: MIT */
/* Sample records that are made once: if the account has one of the same name, it stays as it is. */
#include "records/record_change.h"
#include "samples/samples.h"

#define NAMES_MAX 3

/* By kind: finds a record by the name that people use. $1 is the account, then come these fields.
 * The user name of a sample is its own key. */
static const struct {
	const char *sql;
	const char *fields[NAMES_MAX + 1];
} names[RECORD_KINDS] = {
	[RECORD_STAFF] = {"SELECT id FROM staff WHERE account_id = $1 AND username_key = $2",
			  {"username"}},
	[RECORD_CALENDAR] = {"SELECT id FROM calendar WHERE account_id = $1 AND name = $2",
			     {"name"}},
	[RECORD_CASE_SERVICE] = {"SELECT id FROM case_service WHERE account_id = $1 AND name = $2",
				 {"name"}},
	[RECORD_CASEFILE] = {"SELECT id FROM casefile WHERE account_id = $1 AND case_number = $2",
			     {"case_number"}},
	[RECORD_SUBJECT] = {"SELECT id FROM subject WHERE account_id = $1 AND casefile_id = $2"
			    " AND first_name = $3 AND last_name = $4",
			    {"casefile_id", "first_name", "last_name"}},
};

static struct sample_put *put_of(struct store_write *write)
{
	return (struct sample_put *)(void *)write;
}

static enum err sample_found_row(void *context, const struct db_value *values, size_t count)
{
	struct sample_put *put = context;

	(void)count;
	if (!put->found)
		*put->id_out = values[0].integer;
	put->found = true;
	return OK;
}

static enum err put_read(struct store_write *write, struct calls *calls)
{
	struct sample_put *put = put_of(write);
	const struct record_type *type = record_types[put->kind];
	struct db_value args[1 + NAMES_MAX] = {DB_INT_VALUE(write->scope.account_id)};
	size_t count = 1;
	enum err err = record_begin(write, put->kind, put->record, &put->asked);

	if (err)
		return err;
	put->found = false;
	for (const char *const *name = names[put->kind].fields; *name; name++) {
		const struct field *field = field_of(type, *name);
		const void *at = CONST_FIELD_AT(put->record, field);

		args[count++] = field->type == FIELD_TEXT ? DB_TEXT_VALUE(*(const struct slice *)at)
							  : DB_INT_VALUE(*(const int64_t *)at);
	}
	return calls_add_copy(calls, names[put->kind].sql, args, count, sample_found_row, put);
}

static enum err put_decide(struct store_write *write, struct calls *calls)
{
	struct sample_put *put = put_of(write);
	enum err err;

	if (put->found)
		return OK;
	err = record_insert(write, put->kind, put->record, calls);
	*put->id_out = put->record->id;
	return err;
}

void sample_put_init(struct sample_put *put)
{
	static const struct write_steps steps = {.read = put_read, .decide = put_decide};

	*put = (struct sample_put){.write = {.steps = &steps}};
}
