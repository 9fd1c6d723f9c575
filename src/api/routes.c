/* SPDX-License-Identifier: MIT */
/* Every route there is. */
#include "api/api_private.h"

/* clang-format off */
const struct route routes[] = {
	{"GET", "/api/v1/me", BODY_NONE, NULL, me_get, NULL, RECORD_STAFF},
	{"GET", "/api/v1/tasks", BODY_NONE, list_read_params, record_list, NULL, RECORD_TASK},
	{"POST", "/api/v1/tasks", BODY_JSON, NULL, task_create, task_created, RECORD_TASK},
	{"GET", "/api/v1/tasks/{id}", BODY_NONE, record_read_params, record_get, NULL, RECORD_TASK},
};
/* clang-format on */

const size_t route_count = sizeof(routes) / sizeof(routes[0]);
