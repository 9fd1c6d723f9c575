/* SPDX-License-Identifier: MIT */
/* Sample records, for a new account and for an agency that has grown.
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

/* Makes the sample records that the reference's example names; see demo.c. `made_out` says
 * whether they were not there before. ERR_EXISTS where the account has cases of its own. */
enum err store_demo_records(struct store *store, const struct scope *scope, bool *made_out);

/* Makes a record that is no task, unless the account has one of that name; see sample.c. */
struct sample_put {
	struct store_write write;
	enum record_kind kind;
	struct record *record; /* at the head of the struct of its kind */
	int64_t *id_out;       /* of the record, made or found */

	/* The store's own. */
	bool found;
	void *asked; /* the record as it came */
};

void sample_put_init(struct sample_put *put);

#endif
