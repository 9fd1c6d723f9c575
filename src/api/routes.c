/* SPDX-License-Identifier: MIT */
/* Every route there is. */
#include "api/api_private.h"

const struct route routes[] = {
	{"POST", "/api/v1/tasks", BODY_JSON, task_create, task_created},
	{"GET", "/api/v1/tasks/{id}", BODY_NONE, task_get, NULL},
};

const size_t route_count = sizeof(routes) / sizeof(routes[0]);
