/* SPDX-License-Identifier: MIT */
/* A folder of backups. Each has a name with its time in UTC, docket-20270131T030000Z.db. Files with
 * other names are not docket's. */
#ifndef BACKUP_ROTATION_H
#define BACKUP_ROTATION_H

#include "backup/backup.h"

#define BACKUP_NAME_BYTES 32
#define PART ".part" /* the end of the name until the backup is complete */

void backup_name(int64_t at, char name[BACKUP_NAME_BYTES]);
/* The time in such a name. False: it is another name. */
bool backup_name_time(const char *name, int64_t *at_out);

/* Chooses which backups to keep: of each of the last days that have one, the last; then of the
 * weeks, and of the months, without those that are kept already. `times` has the newest first. */
void rotation_choose(const int64_t *times, size_t count, const struct backup_keep *keep,
		     bool *kept);

/* Removes the backups from the folder, a descriptor, that are not kept; never the one named `made`.
 * Also removes what older backups that were killed have left: parts that nobody has locked.
 * `removed_out` becomes their number, also on an error. */
enum err rotation_run(int folder, const struct backup_keep *keep, const char *made,
		      int64_t *removed_out, struct buf *why);

#endif
