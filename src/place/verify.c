/* SPDX-License-Identifier: MIT */
/* Verifies a database as a whole, without the rules for single records. */
#include "place/verify.h"

#include "records/history_chain.h"
#include "sql/dialect.h"
#include "sql/calls.h"

static enum err verify_on_break(void *context, const struct history_break *found)
{
	(void)found;
	*(const char **)context = "the chain of the history is as docket wrote it";
	return OK;
}

enum err database_verify_file(struct db *db, const char **broken_out)
{
	const struct sql_self_check *checks = sql_dialect(db->driver)->self_checks;
	const char *broken = NULL;
	enum err err = OK;

	for (size_t i = 0; checks[i].name && !err && !broken; i++) {
		bool found = false;
		const struct db_call call = {
			.sql = checks[i].sql, .on_row = any_row, .context = &found};

		err = db->driver->run(db, &call, 1);
		broken = found ? checks[i].says : NULL;
	}
	if (!err)
		*broken_out = broken;
	return err;
}

enum err database_verify(struct db *db, const char **broken_out)
{
	const char *broken = NULL;
	enum err err = database_verify_file(db, &broken);

	if (!err && !broken)
		err = history_verify(db, false, verify_on_break, &broken);
	if (!err)
		*broken_out = broken;
	return err;
}
