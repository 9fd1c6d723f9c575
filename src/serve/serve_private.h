/* SPDX-License-Identifier: MIT */
/* What the settings of docket serve must be, and what follows from them. */
#ifndef SERVE_SERVE_PRIVATE_H
#define SERVE_SERVE_PRIVATE_H

#include "cli/cli.h"
#include "pipeline/app.h"

struct listen_addresses;

/* Whether the settings are right, --cors-origins, --base-url and those of ephemeral.h among them;
 * else says what is wrong. `addresses_out`: where to listen, for listen_free(). */
bool serve_check(const struct settings *settings, struct listen_addresses **addresses_out);

/* Whether the settings that are URLs are right: the pages that may call docket, and where clients
 * reach it. Says what is wrong. */
bool urls_check(const struct settings *settings);

/* Those that were checked, for the API; they live as long as the settings. */
void urls_set(const struct settings *settings, struct app *app);

#endif
