/* SPDX-License-Identifier: MIT */
/* How docket is seen from outside: the pages that may call it, and the URL that it is reached at.
 */
#ifndef CLI_PUBLIC_H
#define CLI_PUBLIC_H

#include "api/api.h"
#include "cli/settings.h"

/* Says what is wrong with these settings, and whether nothing is. */
bool public_check(const struct settings *settings);

/* Those that were checked, for the API; they live as long as the settings. */
void public_set(const struct settings *settings, struct app *app);

#endif
