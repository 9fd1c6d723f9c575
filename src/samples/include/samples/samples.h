/* SPDX-License-Identifier: MIT */
/* Makes sample records: a few for a new account, and single records for a large one.
 *
 *	bool made;
 *
 *	err = store_demo_records(store, &scope, &made);
 *	if (!err && !made)
 *		log_line("the account has them already"); */
#ifndef SAMPLES_SAMPLES_H
#define SAMPLES_SAMPLES_H

#include "model/records.h"
#include "store/store.h"

/* Makes the sample records that the example of the API names; see demo.c. `made_out` false: they
 * existed already. ERR_EXISTS: the account has records of its own. */
enum err store_demo_records(struct store *store, const struct scope *scope, bool *made_out);

/* Call it after tasks were made that have an alert_sent_at: some of their alerts become failed or
 * skipped. */
enum err store_demo_alerts(struct store *store, const struct scope *scope);

/* Makes a record of any kind but task, unless the account has one of the same name; see
 * sample.c. */
struct sample_put {
	struct store_write write;
	enum record_kind kind;
	struct record *record; /* the first member of the struct of its kind */
	int64_t *id_out;       /* the id of the record, made or found */

	/* The store's own. */
	bool found;
	void *asked; /* the record as it was given */
};

void sample_put_init(struct sample_put *put);

#endif
