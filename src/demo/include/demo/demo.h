/* SPDX-License-Identifier: MIT */
/* Sample records, for docket demo and docket serve --ephemeral. A record depends only on its number
 * and on the number of tasks, so that two folders with the same number of tasks differ only in
 * their dates.
 *
 *     bool made;
 *     enum err err = demo_fill(store, account.id, 200, &made);
 *
 *     if (!err && made)
 *             fprintf(stderr, "made the base records too\n"); */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "cli/cli.h"

struct store;

/* Makes `tasks` more tasks, and the base records if they do not exist yet. `made_out`: these were
 * made. Nothing else may write to the store meanwhile. Logs what is wrong. */
enum err demo_fill(struct store *store, int64_t account_id, int64_t tasks, bool *made_out);

enum exit_status command_demo(const struct settings *settings);

#endif
