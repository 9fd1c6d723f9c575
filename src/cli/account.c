/* SPDX-License-Identifier: MIT */
/* docket account: the accounts of a folder. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/first.h"
#include "store/store.h"

enum exit_status account_add(const struct settings *settings, struct store *store,
			     const unsigned char *token_hash)
{
	struct account_create create;
	struct arena arena = {0};
	struct faults faults;
	struct staff staff;
	enum err err;

	if (!account_name_check(settings, settings->argument) || !first_staff(settings, &staff))
		return EXIT_USAGE;
	account_create_init(&create);
	faults_init(&faults, &arena);
	create.write.arena = &arena;
	create.write.faults = &faults;
	create.name = settings->argument;
	create.staff = &staff;
	create.token_hash = token_hash;
	create.token_label = "made with the account";
	err = store_write(store, &create.write);
	arena_release(&arena);
	if (!err && create.exists)
		err = ERR_EXISTS;
	if (err)
		fprintf(settings->err, "docket: cannot make the account \"%s\": %s\n", create.name,
			err == ERR_EXISTS ? "there is one of that name" : err_text(err));
	else
		fprintf(settings->err, "made the account \"%s\" with the staff member \"%s\"\n",
			create.name, settings->text[SETTING_USERNAME]);
	return err ? EXIT_FAILED : EXIT_OK;
}
