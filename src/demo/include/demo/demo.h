/* SPDX-License-Identifier: MIT */
/* Sample records: those of docket demo and of docket serve --ephemeral. Every record follows from
 * its number and the number of tasks alone, so that two folders with the same N differ only in
 * their dates.
 *
 *     bool made;
 *     enum err err = demo_fill(store, account.id, 200, &made);
 *
 *     if (!err && made)
 *             fprintf(stderr, "made the base records too\n");
 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "cli/cli.h"

struct store;

/* Makes the base records, where they are not there yet, which `made_out` says, and `tasks` more
 * tasks. Nothing else may write to the store meanwhile. Says what is wrong. */
enum err demo_fill(struct store *store, int64_t account_id, int64_t tasks, bool *made_out);

enum exit_status command_demo(const struct settings *settings);

#endif
