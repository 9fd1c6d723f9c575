/* SPDX-License-Identifier: MIT */
/* Checks whether all stored data is sound, by rules that the schema cannot express. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "store/store.h"

#define CHECK_SHOWN 5

/* Something that breaks a rule. */
struct check_entry {
	int64_t account_id;  /* ID_NONE: of no account */
	const char *account; /* its name; NULL if there is no such account */
	const char *record;  /* "task", "change"; NULL: none in particular */
	int64_t id;          /* of the record; ID_NONE: it has none */
	const char *what;    /* what is wrong with it, or NULL */
};

struct check_result {
	const char *name;                        /* of the rule, as "history-gaps" */
	const char *says;                        /* the rule, or the note */
	bool note;                               /* what was found is not an error */
	int64_t found;                           /* how many break it */
	struct check_entry entries[CHECK_SHOWN]; /* the first of them */
	const char *broken; /* why the rule could not be checked to the end; NULL: it was */
};

struct check_report {
	int64_t schema; /* the number of the last migration */
	/* How many rows each table has. */
	struct check_count {
		const char *table;
		int64_t rows;
	} * counts;
	size_t count;
	struct check_result *results;
	size_t result_count;
	bool sound;
	const char *advice; /* what to do if it is not sound */
};

/* Called before the first rule and after each. */
typedef void check_progress_fn(void *context, size_t done, size_t rules);

/* Reads the whole database and writes nothing. Other processes may serve it meanwhile: each rule
 * reads one snapshot. The report is in the arena. ERR_SCHEMA if the database is of another version.
 * If it cannot be read at all, returns the error; `why` has a message. */
enum err store_check(const struct store_config *config, struct arena *arena,
		     check_progress_fn *on_progress, void *context, struct check_report *report_out,
		     struct buf *why);

/* The same for a database that is open in another way, such as a backup: a SQLite database of this
 * program's schema, `schema`, which nobody writes. The report has no advice. ERR_BUSY: an account
 * was being removed, so what is left of it breaks rules. */
enum err check_database(struct db *db, int64_t schema, struct arena *arena,
			check_progress_fn *on_progress, void *context,
			struct check_report *report_out, struct buf *why);

#endif
