/* SPDX-License-Identifier: MIT */
/* The schemas of objects that are no records: one row for each member. */
#include "api/api.h"
#include "base/array.h"
#include "model/alert.h"
#include "model/fault.h"
#include "openapi_private.h"
#include "records/history_entry.h"

#define COUNTED "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0}"
#define ID "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1}"
#define ID_OR_NULL "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\",\"minimum\":1}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define ANY_TEXT "{\"type\":\"string\"}"
#define SWITCH "{\"type\":\"boolean\"}"
#define OF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define LIST_OF(name) "{\"type\":\"array\",\"items\":" OF(name) "}"
#define ACTION "{\"type\":\"string\",\"enum\":[\"create\",\"update\",\"delete\"]}"

struct member {
	const char *name;
	const char *schema; /* in JSON */
	const char *help;
	bool optional;
};

struct object {
	const char *name;
	const struct member *members;
	size_t count;
	bool sent; /* by the client: an unknown member is an error */
};

/* clang-format off */
static const struct member count[] = {
	{"record_count", COUNTED, "how many records there are"},
	{"page_count", COUNTED, "how many pages of `per_page` they fill"},
};
static const struct member history_entry[] = {
	{"change", ID, "the number of the change"},
	{"at", TIME, "when it was made"},
	{"staff_id", ID_OR_NULL, "who made it; `null` if docket itself did"},
	{"action", ACTION, "what was done to the record"},
	{"fields", "{\"type\":\"object\",\"additionalProperties\":" OF("FieldChange") "}",
	 "the fields that changed, by their names"},
};
static const struct member field_change[] = {
	{"from", "{}", "the value before, `null` in a create"},
	{"to", "{}", "the value after, `null` in a deletion"},
};
static const struct member change[] = {
	{"change", ID, "the number of the change"},
	{"at", TIME, "when it was made"},
	{"staff_id", ID_OR_NULL, "who made it; `null` if docket itself did"},
	{"record", "{\"type\":\"string\"}", "the kind of the record"},
	{"id", ID, "the record"},
	{"action", ACTION, "what was done to the record"},
	{"value", "{}", "the record after the change; `null` if the change deleted it"},
};
static const struct member chain[] = {
	{"id", ID, "the last change of a chain of hashes that docket has replaced by a new one"},
	{"hash", ANY_TEXT, "the hash of that change in the old chain, in hexadecimal"},
};
static const struct member changes[] = {
	{"changes", LIST_OF("Change"), "the changes, in the order of their numbers"},
	{"last", COUNTED, "the `since` of the next request"},
};
static const struct member alert[] = {
	{"staff_id", ID, "who gets the e-mail"},
	{"alert_at", TIME, "the alert time"},
	{"state", "{\"type\":\"string\"}", "what became of the e-mail"},
	{"reason", "{\"type\":\"string\"}", "why it is in that state"},
	{"attempts", COUNTED, "how many attempts have begun"},
	{"next_attempt_at", TIME_OR_NULL, "when docket tries next; `null` if the e-mail does not wait"},
	{"ended_at", TIME_OR_NULL, "since when docket tries no more; `null` while the state is `waiting` or `leased`"},
	{"answer", ANY_TEXT, "what the mail server said last; empty if it has said nothing"},
};
static const struct member me[] = {
	{"account", OF("Account"), "the account of the request"},
	{"staff", "{\"anyOf\":[" OF("Staff") "," OF("StaffName") "]}",
	 "the staff member of the user name; only `id` and `username` if the token may not read staff"},
	{"token", OF("Token"), "the token that was sent"},
	{"version", ANY_TEXT, "the version of docket"},
};
static const struct member staff_name[] = {
	{"id", ID, "the id of the staff member"},
	{"username", ANY_TEXT, "the user name"},
};
static const struct member account[] = {{"name", ANY_TEXT, "the name of the account"}};
static const struct member token[] = {
	{"label", ANY_TEXT, "what the token is called"},
	{"scopes", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	 "what it may do, such as `tasks:read`"},
	{"read_only", SWITCH, "whether it allows `GET` and `HEAD` only"},
	{"lenient", SWITCH, "whether unknown fields and parameters are ignored"},
	{"addresses", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	 "the addresses and networks that it works from; empty if it works from everywhere"},
	{"expires_at", TIME_OR_NULL, "when it expires; `null` if never"},
	{"expires_soon", SWITCH, "whether it expires within seven days"},
};
static const struct member health[] = {
	{"status", "{\"type\":\"string\",\"const\":\"ok\"}", "always `ok`"},
	{"detail", ANY_TEXT, "what does not work, though docket can serve requests",
	 .optional = true},
};
static const struct member operations[] = {
	{"operations", LIST_OF("Operation"), "what to do, in this order"},
};
static const struct member results[] = {
	{"results", "{\"type\":\"array\",\"items\":{\"anyOf\":[" OF("Task") "," OF("TaskDryRun") "]}}",
	 "the task of each operation, in the order of the request"},
};
static const struct member problem_members[] = {
	{"detail", ANY_TEXT, "all faults in one line, the most useful first"},
	{"type", "{\"type\":\"string\",\"format\":\"uri-reference\"}",
	 "a page about the problem, which ends in `code`"},
	{"title", ANY_TEXT, "the reason phrase of the status"},
	{"status", "{\"type\":\"integer\",\"minimum\":400,\"maximum\":599}", "the status"},
	{"code", "{\"type\":\"string\"}", "the kind of the problem, for programs"},
	{"errors", "{\"type\":\"array\",\"minItems\":1,\"items\":" OF("Fault") "}",
	 "the faults of the request", .optional = true},
	{"errors_omitted", ID, "how many faults `errors` does not list", .optional = true},
};
static const struct member fault[] = {
	{"field", ANY_TEXT, "the field or parameter, in the words of the request"},
	{"code", "{\"type\":\"string\"}", "what is wrong with it, for programs"},
	{"message", ANY_TEXT, "what is wrong with it, for people"},
};

static const struct object objects[] = {
	{"Count", count, COUNT_OF(count), false},
	{"HistoryEntry", history_entry, COUNT_OF(history_entry), false},
	{"FieldChange", field_change, COUNT_OF(field_change), false},
	{"Change", change, COUNT_OF(change), false},
	{"Chain", chain, COUNT_OF(chain), false},
	{"Changes", changes, COUNT_OF(changes), false},
	{"Alert", alert, COUNT_OF(alert), false},
	{"Me", me, COUNT_OF(me), false},
	{"StaffName", staff_name, COUNT_OF(staff_name), false},
	{"Account", account, COUNT_OF(account), false},
	{"Token", token, COUNT_OF(token), false},
	{"Health", health, COUNT_OF(health), false},
	{"Operations", operations, COUNT_OF(operations), true},
	{"Results", results, COUNT_OF(results), false},
	{"Problem", problem_members, COUNT_OF(problem_members), false},
	{"Fault", fault, COUNT_OF(fault), false},
};
/* clang-format on */

static json_t *object_schema(const struct object *object)
{
	json_t *members = PACK("{}"), *required = PACK("[]"), *schema;

	for (size_t i = 0; i < object->count; i++) {
		const struct member *member = &object->members[i];
		json_t *part = parsed(member->schema);

		put(part, "description", sentence(member->help));
		put(members, member->name, part);
		if (!member->optional)
			add(required, PACK("s", member->name));
	}
	schema = PACK("{s:s,s:o,s:o}", "type", "object", "properties", members, "required",
		      required);
	if (object->sent)
		put(schema, "additionalProperties", json_false());
	return schema;
}

static json_t *member_of(json_t *schemas, const char *object, const char *member)
{
	return made(json_object_get(json_object_get(json_object_get(schemas, object), "properties"),
				    member));
}

/* The values that a member may have, and what each means. */
struct choices {
	json_t *names, *helps;
};

static struct choices choices_new(void)
{
	return (struct choices){PACK("[]"), PACK("{}")};
}

static void choices_add(struct choices *choices, const char *name, json_t *help)
{
	add(choices->names, PACK("s", name));
	put(choices->helps, name, help);
}

static void choices_put(const struct choices *choices, json_t *member)
{
	put(member, "enum", choices->names);
	put(member, "x-enumDescriptions", choices->helps);
}

/* The kinds of records, and records of all kinds. An entry about a chain is of one more kind. */
static void put_kinds(json_t *schemas)
{
	json_t *kinds = PACK("[]"), *values = PACK("[{s:s}]", "type", "null");

	for (size_t i = 0; i < RECORD_KINDS; i++) {
		add(kinds, PACK("s", record_types[i]->name));
		add(values, shape_reference(record_types[i], SHAPE_ANSWER));
	}
	add(kinds, PACK("s", HISTORY_CHAIN_KIND));
	add(values, reference("schemas", "Chain"));
	put(member_of(schemas, "Change", "record"), "enum", kinds);
	put(member_of(schemas, "Change", "value"), "anyOf", values);
}

static void put_alerts(json_t *schemas)
{
	struct choices states = choices_new(), reasons = choices_new();
	json_t *reason = member_of(schemas, "Alert", "reason");

	for (size_t i = 0; i < ALERT_STATES; i++)
		choices_add(&states, alert_states[i].name, sentence(alert_states[i].help));
	for (size_t i = ALERT_NO_REASON + 1; i < ALERT_REASONS; i++)
		choices_add(&reasons, alert_reasons[i].name,
			    TEXT("With state `%s`: %s.", alert_states[alert_reasons[i].state].name,
				 alert_reasons[i].help));
	choices_put(&states, member_of(schemas, "Alert", "state"));
	choices_put(&reasons, reason);
	nullable(reason);
}

static void put_codes(json_t *schemas)
{
	struct choices faults = choices_new(), problems = choices_new();
	json_t *code = member_of(schemas, "Problem", "code"), *rows = PACK("{}");

	for (enum fault_code i = 0; i < FAULT_CODES; i++)
		choices_add(&faults, fault_code_name(i), sentence(fault_code_help(i)));
	for (size_t i = 0; i < PROBLEM_CODES; i++) {
		const struct problem_row *row = &problem_rows[i];

		choices_add(&problems, row->code, sentence(row->cause));
		put(rows, row->code, PACK("{s:i,s:s}", "status", row->status, "cure", row->cure));
	}
	choices_put(&faults, member_of(schemas, "Fault", "code"));
	choices_put(&problems, code);
	put(code, "x-problems", rows);
}

/* An operation of a bulk request has one of two members. */
static json_t *operation_schema(void)
{
	const struct record_type *task = record_types[RECORD_TASK];

	return PACK("{s:[o,o]}", "oneOf",
		    PACK("{s:s,s:{s:o},s:[s],s:b}", "type", "object", "properties", "create",
			 shape_reference(task, SHAPE_NEW), "required", "create",
			 "additionalProperties", 0),
		    PACK("{s:s,s:{s:o},s:[s],s:b}", "type", "object", "properties", "update",
			 shape_reference(task, SHAPE_UPDATE), "required", "update",
			 "additionalProperties", 0));
}

void put_object_schemas(json_t *schemas)
{
	json_t *list;

	for (size_t i = 0; i < COUNT_OF(objects); i++)
		put(schemas, objects[i].name, object_schema(&objects[i]));
	put(schemas, "Operation", operation_schema());
	list = member_of(schemas, "Operations", "operations");
	put(list, "minItems", PACK("i", 1));
	put(list, "maxItems", PACK("i", BULK_OPERATIONS_MAX));
	put_kinds(schemas);
	put_alerts(schemas);
	put_codes(schemas);
}
