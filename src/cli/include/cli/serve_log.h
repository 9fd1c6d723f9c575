/* SPDX-License-Identifier: MIT */
/* The log of docket serve: its form, and its first line. */
#ifndef CLI_SERVE_LOG_H
#define CLI_SERVE_LOG_H

#include "cli/settings.h"

/* Chooses the form that --log-format names: without it text on a terminal, else JSON. False where
 * it names another, which is said. */
bool serve_log_begin(const struct settings *settings);

/* Says which program serves what. A password in the database's URL is left out. */
void serve_log_started(const struct settings *settings);

#endif
