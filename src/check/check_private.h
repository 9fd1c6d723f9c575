/* SPDX-License-Identifier: MIT */
/* What the files of check/ share. */
#ifndef CHECK_CHECK_PRIVATE_H
#define CHECK_CHECK_PRIVATE_H

#include "check/check.h"
#include "place/folds.h"
#include "store/state.h"

/* docket's rules. In a report, the rules of the database itself come before them. */
enum check_rule {
	CHECK_HISTORY_GAPS,
	CHECK_HISTORY_CHAIN,
	CHECK_LAST_CHANGE,
	CHECK_RECORD_CHANGES,
	CHECK_DELETED,
	CHECK_LAST_IDS,
	CHECK_LAST_TIMES,
	CHECK_HISTORY_TIMES,
	CHECK_HISTORY_STAFF,
	CHECK_ACTIONS,
	CHECK_COMPLETE,
	CHECK_WITHOUT_CASE,
	CHECK_ASSIGNMENTS,
	CHECK_UNASSIGNED,
	CHECK_TALLIES,
	CHECK_ALERTS,
	CHECK_ALERTS_WANTED,
	CHECK_ALERTS_MISSING,
	CHECK_ALERTS_SENT,
	CHECK_TOKENS,
	CHECK_SECRETS,
	CHECK_TIMES,
	CHECK_ACCOUNT_STATES,
	CHECK_FULL_ACCESS,
	CHECK_ACCOUNTS,
	CHECK_ZONES,
	CHECK_VALUES,
	CHECK_TEXTS,
	CHECK_FOLDS,
	CHECK_HISTORY_VALUES,
	CHECK_BLANK,
	CHECK_WORDS,
	CHECK_UNICODE,
	CHECK_USERNAME_EXACT,
	CHECK_USERNAMES,
	CHECK_LOOK_ALIKES,
	CHECK_AUDIT,
	CHECK_RULES,
};

struct check {
	struct store *store;
	struct db *db;
	struct arena *arena;               /* the report's */
	struct check_result *results;      /* of docket's rules */
	char unicode[FOLDS_VERSION_BYTES]; /* the version of the database's folds */
};

/* One row per rule. It has a statement or a function. If it has neither, the function of an earlier
 * row also checks this rule. A statement finds what breaks the rule, as one of struct
 * sql_self_check does. */
struct check_row {
	const char *name;
	const char *says;
	const char *sql; /* with the markers {table}, {record}, {sequence}, {first}, {last} and
			    {ascii} */
	bool each_kind;  /* run for each kind of record; the markers stand for its names */
	bool note;       /* what it finds is worth knowing, but not an error */
	enum err (*run)(struct check *check);
};

extern const struct check_row check_rows[CHECK_RULES];

/* Adds an entry for what breaks a rule; texts are copied. `record` and `what` may be NULL. */
enum err check_add(struct check *check, struct check_result *result,
		   const struct check_entry *entry);

/* check_records.c */
enum err check_accounts(struct check *check);
enum err check_records(struct check *check);

/* check_rules.c: reports that the folds cannot be checked, if they cannot. */
enum err check_unicode(struct check *check);

/* check_zones.c */
enum err check_zones(struct check *check);

/* check_history.c */
enum err check_history_chain(struct check *check);

/* check_audit.c */
enum err check_audit(struct check *check);

/* check_words.c */
enum err check_words(struct check *check);

#endif
