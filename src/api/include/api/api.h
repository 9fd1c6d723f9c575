/* SPDX-License-Identifier: MIT */
/* The API: which paths there are, and what each answers. The pipeline is given the table, and calls
 * the handlers:
 *
 *     struct app app = {.routes = &api_routes, .store = store, …};
 *     const struct http_config http = {.app = &pipeline_app, .app_data = &app, …};
 */
#ifndef API_API_H
#define API_API_H

#include "pipeline/app.h"

extern const struct route_table api_routes;

#endif
