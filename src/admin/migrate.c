/* SPDX-License-Identifier: MIT */
/* docket migrate: brings a database to this program's schema. */
#include "base/log.h"
#include "admin_private.h"
#include "place/place.h"

#define WOULD_FOLD "the titles and names of %lld of %lld records would be folded again"

static void migration_print(void *context, int number, const char *name)
{
	fprintf(context, "%04d %s\n", number, name);
}

static void migration_print_folds(const struct settings *settings, bool dry,
				  const struct store_upgrade *upgrade)
{
	if (!dry) {
		fprintf(settings->out, "%s\n", upgrade->folds);
		return;
	}
	fprintf(settings->out, "%s: " WOULD_FOLD "\n", upgrade->folds, (long long)upgrade->folded,
		(long long)upgrade->records);
	fprintf(settings->err, "the database is as it was\n");
}

enum exit_status command_migrate(const struct settings *settings)
{
	bool dry = settings->number[SETTING_DRY_RUN];
	struct buf why = {0};
	struct store_config config = {0};
	struct store_upgrade upgrade = {0};
	enum err err;

	admin_locate(settings, &config);
	err = store_migrate(&config, dry, migration_print, settings->out, &upgrade, &why);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else if (*upgrade.folds)
		migration_print_folds(settings, dry, &upgrade);
	else if (upgrade.from == upgrade.to)
		fprintf(settings->err, "the database has schema %d: there is nothing to do\n",
			upgrade.from);
	else if (dry)
		fprintf(settings->err,
			"tried from schema %d to %d: " WOULD_FOLD "; the database is as it was\n",
			upgrade.from, upgrade.to, (long long)upgrade.folded,
			(long long)upgrade.records);
	else
		fprintf(settings->err, "migrated from schema %d to %d%s%s\n", upgrade.from,
			upgrade.to, *upgrade.copy ? "; the copy from before is " : "",
			upgrade.copy);
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
