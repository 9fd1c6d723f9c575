/* SPDX-License-Identifier: MIT */
/* Entries of the history as rows of the database. */
#ifndef RECORDS_HISTORY_ROW_H
#define RECORDS_HISTORY_ROW_H

#include "records/history_entry.h"
#include "store/state.h"

/* Lists the insert of an entry. `kind` is the name of the record's kind. The record has its new
 * change number already. ptr of `value` NULL: the record was deleted. */
enum err history_add(struct store_write *write, const char *kind, const struct record *record,
		     const char *action, struct slice value, struct calls *calls);
#define HISTORY_COLUMNS                                                                    \
	"account_id, change, at, staff_id, record, record_id, action, value, request_id, " \
	"salt, digest"
#define HISTORY_COLUMNS_COUNT 11
/* Reads a row with these columns; does not copy texts. */
void history_from_row(const struct db_value *values, struct history_entry *entry_out);

#endif
