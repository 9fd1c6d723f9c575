/* SPDX-License-Identifier: MIT */
/* Every route there is. */
#include "api/api_private.h"

/* clang-format off */
const struct route routes[] = {
	{"GET", "/api/v1/me", BODY_NONE, RECORD_STAFF, NULL, me_get, NULL},
	{"GET", "/api/v1/changes", BODY_NONE, RECORD_TASK, changes_read_params, changes_list, NULL},
	{"GET", "/api/v1/tasks", BODY_NONE, RECORD_TASK, list_read_params, record_list, NULL},
	{"POST", "/api/v1/tasks", BODY_JSON, RECORD_TASK, NULL, task_create, task_created},
	{"GET", "/api/v1/tasks/{id}", BODY_NONE, RECORD_TASK, record_read_params, record_get, NULL},
	{"GET", "/api/v1/tasks/{id}/history", BODY_NONE, RECORD_TASK, history_read_params, record_history, NULL},
};
/* clang-format on */

const size_t route_count = sizeof(routes) / sizeof(routes[0]);
