/* SPDX-License-Identifier: MIT */
/* The table of routes. */
#include "api/api.h"
#include "api_private.h"
#include "records/records.h"

/* The routes of one kind of record. */
/* clang-format off */
#define RECORDS(path, kind) \
	{"GET", path, BODY_NONE, kind, list_read_params, record_list, NULL, \
	 .parameters = list_parameters, .answer = ANSWER_LIST, \
	 .operation = "list{Records}", .summary = "List {records}", \
	 .help = "All filters that are given must hold. A page shows its records as they were at one moment. " \
		 "The header `Link` has the first page, and the next one if there is one; follow `next` " \
		 "until there is none. A link is a path with all its parameters: resolve it against the address " \
		 "of the request, and add nothing."}, \
	{"POST", path, BODY_JSON, kind, write_read_params, record_create, record_written, \
	 .parameters = write_parameters, .answer = ANSWER_CREATED, \
	 .operation = "create{Record}", .summary = "Create a {record}", \
	 .help = "An omitted field, or one that is `null`, gets its default."}, \
	{"GET", path "/{id}", BODY_NONE, kind, record_read_params, record_get, NULL, \
	 .parameters = &list_parameters[LIST_EXPAND], .answer = ANSWER_RECORD, \
	 .operation = "get{Record}", .summary = "Read a {record}", \
	 .help = "With `expand` the answer has no `ETag`."}, \
	{"PATCH", path "/{id}", BODY_JSON, kind, write_read_params, record_patch, record_written, \
	 .parameters = write_parameters, .answer = ANSWER_CHANGED, \
	 .operation = "update{Record}", .summary = "Change a {record}", \
	 .help = "The body is a merge patch (RFC 7396): omitted fields stay as they are, and `null` resets a " \
		 "field to its default. docket checks the rules on the whole record after the change. The body " \
		 "may have the fields that only docket sets, if their values are the present ones."}, \
	{"DELETE", path "/{id}", BODY_NONE, kind, write_read_params, record_remove, record_written, \
	 .parameters = write_parameters, .answer = ANSWER_NONE, \
	 .operation = "delete{Record}", .summary = "Delete a {record}", \
	 .help = "A record that other records name cannot be deleted. The answer is then 409 and says how many " \
		 "of them there are."}, \
	{"GET", path "/{id}/history", BODY_NONE, kind, history_read_params, record_history, NULL, \
	 .parameters = history_parameters, .answer = ANSWER_HISTORY, \
	 .operation = "get{Record}History", .summary = "Read the history of a {record}", \
	 .help = "The history of a deleted record can be read as well. If the entries are large, an answer has " \
		 "fewer than `per_page` of them. If there are more entries, `Link` has `next`."}

static const struct route rows[] = {
	{"GET", "/healthz", BODY_NONE, RECORD_TASK, NULL, health_get, NULL, .open = true,
	 .answer = ANSWER_HEALTH, .operation = "getHealth", .summary = "Ask whether the process runs"},
	{"GET", "/readyz", BODY_NONE, RECORD_TASK, NULL, ready_get, NULL, .open = true,
	 .answer = ANSWER_HEALTH, .operation = "getReadiness",
	 .summary = "Ask whether docket can serve requests",
	 .help = "The answer is 503 while the database is away or docket ends."},
	{"GET", "/api/v1/openapi.json", BODY_NONE, RECORD_TASK, NULL, openapi_get, NULL, .open = true,
	 .answer = ANSWER_OPENAPI, .operation = "getDescription", .summary = "Read the OpenAPI document"},
	{"GET", "/docs", BODY_NONE, RECORD_TASK, NULL, reference_get, NULL, .open = true,
	 .answer = ANSWER_REFERENCE, .operation = "getReference", .summary = "Read the reference, for people"},
	{"GET", "/docs/errors/{code}", BODY_NONE, RECORD_TASK, NULL, problem_page_get, NULL, .open = true,
	 .answer = ANSWER_PAGE, .operation = "getProblemPage", .summary = "Read a page about a problem"},
	{"GET", "/docs/style.css", BODY_NONE, RECORD_TASK, NULL, style_get, NULL, .open = true,
	 .answer = ANSWER_STYLE, .operation = "getStyle", .summary = "Read the style sheet of these pages"},
	{"GET", "/docs/try.js", BODY_NONE, RECORD_TASK, NULL, script_get, NULL, .open = true,
	 .answer = ANSWER_SCRIPT, .operation = "getScript", .summary = "Read the script of the reference"},
	{"GET", "/api/v1/me", BODY_NONE, RECORD_STAFF, NULL, me_get, NULL,
	 .needs = NEEDS_NOTHING, .answer = ANSWER_ME, .operation = "getMe",
	 .summary = "Read who you are, and what your token may do"},
	{"GET", "/api/v1/changes", BODY_NONE, RECORD_TASK, changes_read_params, changes_list, NULL,
	 .needs = NEEDS_EVERY_KIND, .parameters = changes_parameters, .answer = ANSWER_CHANGES,
	 .operation = "listChanges", .summary = "List the changes of all records",
	 .help = "Begin with `since=0`. Then send the `last` of each answer as `since`, until an answer has "
		 "no changes. So a client gets a copy of every record and misses nothing. An answer has "
		 "at most 1,000 changes, and fewer if they are large."},
	{"POST", "/api/v1/tasks/bulk", BODY_JSON, RECORD_TASK, write_read_params, tasks_bulk, tasks_bulk_written,
	 .parameters = write_parameters, .answer = ANSWER_RESULTS,
	 .operation = "createAndUpdateTasks", .summary = "Create and change many tasks, all or none",
	 .help = "docket carries out all operations or none. It checks each operation against what was "
		 "stored before the request. The request may name a record only once."},
	RECORDS("/api/v1/tasks", RECORD_TASK),
	{"GET", "/api/v1/tasks/{id}/alerts", BODY_NONE, RECORD_TASK, NULL, task_alerts, NULL,
	 .answer = ANSWER_ALERTS, .operation = "listTaskAlerts",
	 .summary = "List what became of the alerts of a task",
	 .help = "Each staff member and alert time has one entry. The latest alert times come first; an "
		 "answer has at most 1,000 entries. The alerts of a deleted task can be read as well."},
	RECORDS("/api/v1/cases", RECORD_CASEFILE),
	RECORDS("/api/v1/subjects", RECORD_SUBJECT),
	RECORDS("/api/v1/staff", RECORD_STAFF),
	RECORDS("/api/v1/calendars", RECORD_CALENDAR),
	RECORDS("/api/v1/case/services", RECORD_CASE_SERVICE),
};
/* clang-format on */

const struct route_table api_routes = {rows, COUNT_OF(rows)};
