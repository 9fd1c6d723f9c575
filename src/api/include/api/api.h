/* SPDX-License-Identifier: MIT */
/* The API: the table of its routes. The pipeline gets this table and calls the handlers:
 *
 *     struct app app = {.routes = &api_routes, .store = store, …};
 *     const struct http_config http = {.app = &pipeline_app, .app_data = &app, …}; */
#ifndef API_API_H
#define API_API_H

#include "pipeline/app.h"

#define LIST_VALUES_MAX 500     /* of one filter: as many as a page has records */
#define BULK_OPERATIONS_MAX 500 /* of one request */

extern const struct route_table api_routes;

#endif
