/* SPDX-License-Identifier: MIT */
/* "docket top": a page for a terminal, of what the process that serves does. */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include "cli/cli.h"

enum exit_status command_top(const struct settings *settings);

#endif
