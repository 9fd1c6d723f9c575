/* SPDX-License-Identifier: MIT */
/* Of the user names of an account no two are the same, nor look alike. */
#ifndef RECORDS_USERNAMES_H
#define RECORDS_USERNAMES_H

#include "model/staff.h"
#include "store/state.h"

/* Lists the read of
 * a staff member whose name is the new name of `staff`, or looks like it; `before` is as it is now,
 * or NULL, and must live until the calls were run. */
struct username_other;
enum err username_read(struct store_write *write, const struct staff *staff,
		       const struct staff *before, struct calls *calls,
		       struct username_other **other_out);
/* After a staff member who shared a key is changed or deleted: if one other has the key, it signs
 * in by the key again. */
enum err username_leave(struct store_write *write, const struct staff *before, struct calls *calls);
/* When it was read; NULL: nothing was. */
void username_check(const struct username_other *other, struct faults *faults);

/* For SQL: whether a name `s` of the table of staff members looks like another of the account,
 * which is not the same but for its spelling. As in username_check(), one of the two has a
 * character that is none of `ascii`: something is left when those are taken away. */
#define USERNAME_LOOKS_ALIKE(ascii)                                                                \
	"EXISTS (SELECT 1 FROM staff o WHERE o.account_id = s.account_id AND s.username_key <> ''" \
	" AND o.username_skeleton = s.username_skeleton AND o.username_key <> s.username_key"      \
	" AND rtrim(s.username || o.username, " ascii ") <> '')"
/* What `ascii` is. */
#define ASCII_CHARS                                                     \
	" !\"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

#endif
