/* SPDX-License-Identifier: MIT */
/* Whether all that is stored is sound: what the schema cannot say, rule by rule. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "store/store.h"

#define CHECK_SHOWN 5
#define CHECK_COUNTS (RECORD_KINDS + 3)

/* Something that breaks a rule. */
struct check_entry {
	int64_t account_id;  /* ID_NONE: of no account */
	const char *account; /* its name; NULL where there is none of that number */
	const char *record;  /* "task", "change"; NULL: none in particular */
	int64_t id;          /* of the record; ID_NONE: it has none */
	const char *what;    /* words about it, or NULL */
};

struct check_result {
	const char *name;                        /* of the rule, as "history-gaps" */
	const char *says;                        /* the rule, or what is to be noted */
	bool note;                               /* what is found is sound all the same */
	int64_t found;                           /* how many break it */
	struct check_entry entries[CHECK_SHOWN]; /* the first of them */
	const char *broken; /* why it could not be seen to its end; NULL where it was */
};

struct check_report {
	int64_t schema; /* the number of the last migration */
	/* How many of each were looked at. */
	struct check_count {
		const char *what;
		int64_t count;
	} counts[CHECK_COUNTS];
	struct check_result *results;
	size_t result_count;
	bool sound;
	const char *advice; /* what to do where it is not */
};

/* Called before the first rule and after each. */
typedef void check_progress_fn(void *context, size_t done, size_t rules);

/* Reads all that the database holds, and writes nothing. Other processes may serve it meanwhile:
 * each rule then sees one moment. The report is in the arena. ERR_SCHEMA where the database is of
 * another version; what cannot be read at all is an error as well. */
enum err store_check(const struct store_config *config, struct arena *arena,
		     check_progress_fn *on_progress, void *context, struct check_report *report_out,
		     struct buf *why);

#endif
