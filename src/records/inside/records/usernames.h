/* SPDX-License-Identifier: MIT */
/* User names that look alike, in SQL. */
#ifndef RECORDS_USERNAMES_H
#define RECORDS_USERNAMES_H

/* A condition on the row `s` of the table staff: its user name looks like another of the account,
 * and the two have different keys. As in record_staff.c, at least one of the two must have a
 * character that is not in `ascii`: rtrim() then leaves something. */
#define USERNAME_LOOKS_ALIKE(ascii)                                                                \
	"EXISTS (SELECT 1 FROM staff o WHERE o.account_id = s.account_id AND s.username_key <> ''" \
	" AND o.username_skeleton = s.username_skeleton AND o.username_key <> s.username_key"      \
	" AND rtrim(s.username || o.username, " ascii ") <> '')"
/* The value of `ascii`. */
#define ASCII_CHARS                                                     \
	" !\"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

#endif
