/* SPDX-License-Identifier: MIT */
/* docket serve: the process that serves the API.
 *
 * Its row of the table of commands is all that there is to be said from outside. The function
 * blocks SIGTERM, SIGINT and SIGHUP, serves until one of the first two comes, and gives back
 * everything that it had opened:
 *
 *     {.name = "serve", .summary = "serve the API over HTTP", .run = command_serve, …}
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "cli/cli.h"

enum exit_status command_serve(const struct settings *settings);

#endif
