/* SPDX-License-Identifier: MIT */
/* docket migrate: brings a database to this program's schema. */
#include "base/log.h"
#include "cli/admin.h"

struct told {
	FILE *out;
	int last; /* the number of the last migration; 0: none */
};

static void tell(void *context, int number, const char *name)
{
	struct told *told = context;

	fprintf(told->out, "%04d %s\n", number, name);
	told->last = number;
}

enum exit_status command_migrate(const struct settings *settings)
{
	bool dry = settings->number[SETTING_DRY_RUN];
	struct told told = {.out = settings->out};
	struct buf why = {0};
	struct store_config config = {0};
	int have = 0;
	enum err err;

	admin_place(settings, &config);
	err = store_migrate(&config, dry, tell, &told, &have, &why);
	if (err)
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else if (!told.last)
		fprintf(settings->err, "the database has schema %d: there is nothing to do\n",
			have);
	else if (dry)
		fprintf(settings->err, "tried from schema %d to %d; the database is as it was\n",
			have, told.last);
	else
		fprintf(settings->err, "migrated from schema %d to %d\n", have, told.last);
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
