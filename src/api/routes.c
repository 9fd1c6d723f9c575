/* SPDX-License-Identifier: MIT */
/* The table of routes. */
#include "api/api.h"
#include "api_private.h"
#include "records/records.h"

/* The routes of one kind of record. */
/* clang-format off */
#define RECORDS(path, kind) \
	{"GET", path, BODY_NONE, kind, list_read_params, record_list, NULL}, \
	{"POST", path, BODY_JSON, kind, write_read_params, record_create, record_written}, \
	{"GET", path "/{id}", BODY_NONE, kind, record_read_params, record_get, NULL}, \
	{"PATCH", path "/{id}", BODY_JSON, kind, write_read_params, record_patch, record_written}, \
	{"DELETE", path "/{id}", BODY_NONE, kind, write_read_params, record_remove, record_written}, \
	{"GET", path "/{id}/history", BODY_NONE, kind, history_read_params, record_history, NULL}

static const struct route rows[] = {
	{"GET", "/healthz", BODY_NONE, RECORD_TASK, NULL, health_get, NULL, .open = true},
	{"GET", "/readyz", BODY_NONE, RECORD_TASK, NULL, ready_get, NULL, .open = true},
	{"GET", "/api/v1/me", BODY_NONE, RECORD_STAFF, NULL, me_get, NULL},
	{"GET", "/api/v1/changes", BODY_NONE, RECORD_TASK, changes_read_params, changes_list, NULL},
	{"POST", "/api/v1/tasks/bulk", BODY_JSON, RECORD_TASK, write_read_params, tasks_bulk, tasks_bulk_written},
	RECORDS("/api/v1/tasks", RECORD_TASK),
	RECORDS("/api/v1/cases", RECORD_CASEFILE),
	RECORDS("/api/v1/subjects", RECORD_SUBJECT),
	RECORDS("/api/v1/staff", RECORD_STAFF),
	RECORDS("/api/v1/calendars", RECORD_CALENDAR),
	RECORDS("/api/v1/case/services", RECORD_CASE_SERVICE),
};
/* clang-format on */

const struct route_table api_routes = {rows, COUNT_OF(rows)};
