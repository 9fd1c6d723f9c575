/* SPDX-License-Identifier: MIT */
/* The command docket serve: the process that serves the API.
 *
 * The function blocks SIGTERM, SIGINT and SIGHUP, serves until it gets SIGTERM or SIGINT, and
 * releases everything that it opened. It is used in the table of commands only:
 *
 *     {.name = "serve", .summary = "serve the API over HTTP", .run = command_serve, …}
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "cli/cli.h"

enum exit_status command_serve(const struct settings *settings);

#endif
