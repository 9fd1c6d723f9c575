/* SPDX-License-Identifier: MIT */
/* What a new account needs, from settings: its name, its first staff member and a token. */
#ifndef CLI_FIRST_H
#define CLI_FIRST_H

#include "cli/settings.h"
#include "model/staff.h"

/* Each says what is wrong, and is then false. */
bool account_name_check(const struct settings *settings, const char *name);
/* Its texts are the settings'. */
bool first_staff(const struct settings *settings, struct staff *staff_out);
/* Makes the file, mode 0600; it must not be there. */
bool token_file_write(const char *file, const char *token);

#endif
