/* SPDX-License-Identifier: MIT */
/* Rules between records, as tables. */

#include "model/records.h"
#include "references.h"
#include "sql/values.h"

/* A field that names another record. If that record exists, the statement has one row: 1 if the
 * record fits, else 0. $1 is the account, $2 the id, $3 the value of the field `with`. */
struct reference {
	enum record_kind kind, names;
	const char *field;
	const char *sql;
	const char *with;   /* NULL: it always fits */
	const char *misfit; /* "subject 3 does not belong to case 5" */
};

#define IS_THERE(table) "SELECT 1 FROM " table " WHERE account_id = $1 AND id = $2"

static const struct reference rows[] = {
	{RECORD_TASK, RECORD_CASEFILE, "casefile_id", IS_THERE("casefile"), NULL, NULL},
	{RECORD_TASK, RECORD_CALENDAR, "calendar_id", IS_THERE("calendar"), NULL, NULL},
	{RECORD_TASK, RECORD_SUBJECT, "subject_id",
	 "SELECT CASE WHEN casefile_id = $3 THEN 1 ELSE 0 END FROM subject"
	 " WHERE account_id = $1 AND id = $2",
	 "casefile_id", "does not belong to case"},
	{RECORD_TASK, RECORD_CASE_SERVICE, "case_service_id",
	 "SELECT CASE WHEN a.casefile_id = $3 THEN 1 ELSE 0 END FROM case_service s"
	 " LEFT JOIN casefile_service a ON a.account_id = s.account_id"
	 " AND a.case_service_id = s.id AND a.casefile_id = $3"
	 " WHERE s.account_id = $1 AND s.id = $2",
	 "casefile_id", "is not attached to case"},
	{RECORD_TASK, RECORD_STAFF, "users_list", IS_THERE("staff"), NULL, NULL},
	{RECORD_SUBJECT, RECORD_CASEFILE, "casefile_id", IS_THERE("casefile"), NULL, NULL},
	{RECORD_CASEFILE, RECORD_CASE_SERVICE, "case_services_list", IS_THERE("case_service"), NULL,
	 NULL},
};

/* Records that depend on a record. The statement counts them: $1 is the account, $2 the id, $3 a
 * member that a list loses. */
struct dependent {
	enum record_kind kind, dependent;
	const char *field; /* counted when this changes; NULL: when the record is deleted */
	const char *sql;
	enum record_kind member; /* if `field` is a list: the kind of its members */
};

/* Counts stop here. */
#define MANY 10000
#define COUNT_IF(table, condition)                                                           \
	"SELECT count(*) FROM (SELECT 1 FROM " table " WHERE account_id = $1 AND " condition \
	" LIMIT 10001) q"
#define COUNT(table, column) COUNT_IF(table, column " = $2")

static const struct dependent dependents[] = {
	{RECORD_CASEFILE, RECORD_TASK, NULL, COUNT("task", "casefile_id")},
	{RECORD_CASEFILE, RECORD_SUBJECT, NULL, COUNT("subject", "casefile_id")},
	{RECORD_CASEFILE, RECORD_TASK, "case_services_list",
	 COUNT_IF("task", "casefile_id = $2 AND case_service_id = $3"), RECORD_CASE_SERVICE},
	{RECORD_SUBJECT, RECORD_TASK, NULL, COUNT("task", "subject_id")},
	{RECORD_SUBJECT, RECORD_TASK, "casefile_id", COUNT("task", "subject_id")},
	{RECORD_CALENDAR, RECORD_TASK, NULL, COUNT("task", "calendar_id")},
	/* Looks at the tasks of the cases that the service is attached to, because no index finds
	 * tasks by their service. */
	{RECORD_CASE_SERVICE, RECORD_TASK, NULL,
	 "SELECT count(*) FROM (SELECT 1 FROM casefile_service c JOIN task t"
	 " ON t.account_id = c.account_id AND t.casefile_id = c.casefile_id"
	 " WHERE c.account_id = $1 AND c.case_service_id = $2 AND t.case_service_id = $2"
	 " LIMIT 10001) q"},
	{RECORD_CASE_SERVICE, RECORD_CASEFILE, NULL, COUNT("casefile_service", "case_service_id")},
	{RECORD_STAFF, RECORD_TASK, NULL, COUNT("task_user", "staff_id")},
};

struct reference_fact {
	const struct reference *reference; /* one of these three is set */
	const struct field *unique;
	const struct dependent *dependent;
	size_t entry;   /* of a list */
	int64_t member; /* that a list loses, or ID_NONE */
	bool found;
	/* For `reference`, 1 if it fits. For `unique`, the id of the record with the value. For
	 * `dependent`, the count. */
	int64_t value;
};

static enum err fact_row(void *context, const struct db_value *values, size_t count)
{
	struct reference_fact *fact = context;

	(void)count;
	fact->found = true;
	fact->value = values[0].integer;
	return OK;
}

/* Makes room for `more` facts at once: calls point at facts, so they must not move. */
static enum err references_make_room(struct references *references, struct arena *arena,
				     size_t more)
{
	struct reference_fact *facts = arena_alloc(arena, more * sizeof(*facts));

	if (!facts)
		return ERR_NOMEM;
	references->facts = facts;
	references->count = 0;
	references->room = more;
	return OK;
}

/* The number of members of all lists of a record. */
static size_t record_count_members(const struct record_type *type, const struct record *record)
{
	size_t count = 0;

	for (size_t i = 0; i < type->field_count; i++) {
		const struct id_list *list = CONST_FIELD_AT(record, &type->fields[i]);

		count += type->fields[i].type == FIELD_ID_LIST ? list->count : 0;
	}
	return count;
}

static enum err references_ask(struct references *references, struct store_write *write,
			       const struct reference_fact *about, const char *sql, int64_t id,
			       const int64_t *third, struct calls *calls)
{
	struct reference_fact *fact = &references->facts[references->count++];
	const struct db_value args[] = {DB_INT_VALUE(write->scope.account_id), DB_INT_VALUE(id),
					DB_INT_VALUE(third ? *third : ID_NONE)};

	*fact = *about;
	return calls_add_copy(calls, sql, args, third ? 3 : 2, fact_row, fact);
}

static const void *record_field(enum record_kind kind, const struct record *record,
				const char *name)
{
	return CONST_FIELD_AT(record, field_of(record_types[kind], name));
}

static enum err reference_read(struct references *references, struct store_write *write,
			       const struct reference *row, const struct record *record,
			       struct calls *calls)
{
	const struct field *field = field_of(record_types[row->kind], row->field);
	struct reference_fact fact = {.reference = row};
	const void *at = CONST_FIELD_AT(record, field);
	const struct id_list *list = at;
	enum err err = OK;

	if (field->type == FIELD_ID) {
		int64_t id = *(const int64_t *)at;

		return id == ID_NONE
			       ? OK
			       : references_ask(references, write, &fact, row->sql, id,
						row->with
							? record_field(row->kind, record, row->with)
							: NULL,
						calls);
	}
	for (; fact.entry < list->count && !err; fact.entry++)
		err = references_ask(references, write, &fact, row->sql, list->ids[fact.entry],
				     NULL, calls);
	return err;
}

static enum err unique_read(struct references *references, struct store_write *write,
			    enum record_kind kind, size_t i, const struct record *record,
			    struct calls *calls)
{
	const struct field *field = &record_types[kind]->fields[i];
	struct reference_fact *fact = &references->facts[references->count++];
	struct db_value value;

	*fact = (struct reference_fact){.unique = field};
	field_to_values(field, CONST_FIELD_AT(record, field), &value);
	return calls_ask(calls, write->store->sql.records[kind].unique[i], fact_row, fact,
			 DB_INT_VALUE(write->scope.account_id), value);
}

enum err references_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *record, uint64_t given,
			 struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	enum err err = references_make_room(references, write->arena,
					    FIELD_COUNT(rows) + type->field_count +
						    record_count_members(type, record));

	for (size_t i = 0; i < FIELD_COUNT(rows) && !err; i++)
		if (rows[i].kind == kind)
			err = reference_read(references, write, &rows[i], record, calls);
	for (size_t i = 0; i < type->field_count && !err; i++)
		if ((type->fields[i].flags & FIELD_UNIQUE) && (given & UINT64_C(1) << i))
			err = unique_read(references, write, kind, i, record, calls);
	return err;
}

static bool references_found(const struct references *references, const char *field)
{
	for (size_t i = 0; i < references->count; i++)
		if (references->facts[i].reference && references->facts[i].found &&
		    strcmp(references->facts[i].reference->field, field) == 0)
			return true;
	return false;
}

static void reference_check(const struct references *references, const struct reference_fact *fact,
			    const struct record *record, uint64_t valid, struct faults *faults)
{
	const struct reference *row = fact->reference;
	const struct record_type *type = record_types[row->kind];
	const struct field *field = field_of(type, row->field);
	const struct id_list *list = CONST_FIELD_AT(record, field);
	bool is_list = field->type == FIELD_ID_LIST;
	int64_t id =
		is_list ? list->ids[fact->entry] : *(const int64_t *)CONST_FIELD_AT(record, field);
	const char *noun = record_types[row->names]->noun;
	char path[96];

	if (!is_list && !(valid & field_bit(type, row->field)))
		return;
	snprintf(path, sizeof(path), "%s.%s", type->name, row->field);
	if (is_list)
		snprintf(path, sizeof(path), "%s.%s[%zu]", type->name, row->field,
			 list->positions ? list->positions[fact->entry] : fact->entry);
	if (!fact->found)
		faults_add(faults, path, FAULT_NOT_FOUND, "%lld: no such %s", (long long)id, noun);
	else if (row->with && !fact->value && (valid & field_bit(type, row->with)) &&
		 references_found(references, row->with))
		faults_add(faults, path, FAULT_MISMATCH, "%s %lld %s %lld", noun, (long long)id,
			   row->misfit,
			   (long long)*(const int64_t *)record_field(row->kind, record, row->with));
}

void references_check(const struct references *references, enum record_kind kind,
		      const struct record *record, uint64_t valid, struct faults *faults)
{
	for (size_t i = 0; i < references->count; i++) {
		const struct reference_fact *fact = &references->facts[i];
		char path[96];

		if (fact->reference)
			reference_check(references, fact, record, valid, faults);
		if (!fact->unique || !fact->found || fact->value == record->id)
			continue;
		snprintf(path, sizeof(path), "%s.%s", record_types[kind]->name, fact->unique->name);
		faults_add(faults, path, FAULT_TAKEN, "is already used by %s %lld",
			   record_types[kind]->noun, (long long)fact->value);
	}
}

static enum err dependent_read(struct references *references, struct store_write *write,
			       const struct dependent *row, const struct record *before,
			       const struct record *after, struct calls *calls)
{
	struct reference_fact fact = {.dependent = row, .member = ID_NONE};
	const struct field *field =
		row->field ? field_of(record_types[row->kind], row->field) : NULL;
	const struct id_list *old = field ? CONST_FIELD_AT(before, field) : NULL;
	enum err err = OK;

	if (!after != !field)
		return OK;
	if (!field ||
	    (field->type == FIELD_ID && *(const int64_t *)CONST_FIELD_AT(before, field) !=
						*(const int64_t *)CONST_FIELD_AT(after, field)))
		return references_ask(references, write, &fact, row->sql, before->id, NULL, calls);
	for (size_t i = 0; field->type == FIELD_ID_LIST && i < old->count && !err; i++) {
		fact.member = old->ids[i];
		if (!id_list_has(CONST_FIELD_AT(after, field), fact.member))
			err = references_ask(references, write, &fact, row->sql, before->id,
					     &old->ids[i], calls);
	}
	return err;
}

enum err dependents_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *before,
			 const struct record *after, struct calls *calls)
{
	enum err err = references_make_room(
		references, write->arena,
		FIELD_COUNT(dependents) + record_count_members(record_types[kind], before));

	for (size_t i = 0; i < FIELD_COUNT(dependents) && !err; i++)
		if (dependents[i].kind == kind)
			err = dependent_read(references, write, &dependents[i], before, after,
					     calls);
	return err;
}

/* "3 tasks", or "at least 10000 tasks". */
static void fact_write_count(const struct reference_fact *fact, struct buf *out)
{
	int64_t count = fact->value > MANY ? MANY : fact->value;

	buf_printf(out, "%s%lld %s%s", fact->value > MANY ? "at least " : "", (long long)count,
		   record_types[fact->dependent->dependent]->noun, count == 1 ? "" : "s");
}

/* Adds one fault with all records that name a record to delete. */
static void dependents_check_deletion(const struct references *references, enum record_kind kind,
				      struct faults *faults)
{
	struct buf what = {0};
	size_t kinds = 0;

	for (size_t i = 0; i < references->count; i++) {
		const struct reference_fact *fact = &references->facts[i];

		if (fact->dependent->field || !fact->value)
			continue;
		if (kinds++)
			buf_add_text(&what, " and ");
		fact_write_count(fact, &what);
	}
	if (kinds)
		faults_add(faults, record_types[kind]->name, FAULT_IN_USE, "is used by %.*s",
			   (int)what.len, what.ptr);
	faults->nomem |= what.failed;
	buf_release(&what);
}

static void dependents_check_change(const struct reference_fact *fact, enum record_kind kind,
				    struct faults *faults)
{
	struct buf what = {0};
	char path[96];

	snprintf(path, sizeof(path), "%s.%s", record_types[kind]->name, fact->dependent->field);
	if (fact->member == ID_NONE)
		buf_add_text(&what, "cannot change: ");
	else
		buf_printf(&what,
			   "must keep %s %lld: ", record_types[fact->dependent->member]->noun,
			   (long long)fact->member);
	fact_write_count(fact, &what);
	faults_add(faults, path, FAULT_IN_USE, "%.*s %s on it", (int)what.len, what.ptr,
		   fact->value == 1 ? "depends" : "depend");
	faults->nomem |= what.failed;
	buf_release(&what);
}

void dependents_check(const struct references *references, enum record_kind kind,
		      struct faults *faults)
{
	dependents_check_deletion(references, kind, faults);
	for (size_t i = 0; i < references->count; i++)
		if (references->facts[i].dependent->field && references->facts[i].value)
			dependents_check_change(&references->facts[i], kind, faults);
}
