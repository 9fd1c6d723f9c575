/* SPDX-License-Identifier: MIT */
/* The settings of the replica, and what docket status shows of it. */
#include "replica/replica.h"

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "serve_private.h"

bool replica_check(const struct settings *settings)
{
	const char *dir = settings->text[SETTING_REPLICATE_TO];
	const char *unfit = settings->text[SETTING_DATABASE] ? "--database: use PostgreSQL's own "
							       "replication"
			    : settings->number[SETTING_EPHEMERAL] ? "--ephemeral"
								  : NULL;

	if (dir && unfit)
		settings_wrong(settings, SETTING_REPLICATE_TO,
			       "is for a data folder and cannot be given with %s", unfit);
	else if (dir && !*dir)
		settings_wrong(settings, SETTING_REPLICATE_TO, "is empty");
	else if (!settings->number[SETTING_REPLICATE_KEEP])
		settings_wrong(settings, SETTING_REPLICATE_KEEP, "must be 1 or more");
	else
		return true;
	return false;
}

void serve_disk_check(const struct settings *settings, const char *what, const char *dir)
{
	struct stat folder, target;

	if (stat(settings->text[SETTING_DATA], &folder) == 0 && stat(dir, &target) == 0 &&
	    folder.st_dev == target.st_dev)
		log_line("warning: the %s in %s is on the disk of the data folder: a disk that "
			 "fails takes both",
			 what, dir);
}

enum err serve_replica_start(const struct settings *settings, struct store *store,
			     struct replica **replica_out)
{
	const struct replica_config config = {
		.store = store,
		.dir = settings->text[SETTING_REPLICATE_TO],
		.keep = (unsigned)settings->number[SETTING_REPLICATE_KEEP],
	};
	enum err err = OK;

	if (config.dir) {
		serve_disk_check(settings, "replica", config.dir);
		err = replica_start(&config, replica_out);
	}
	if (err)
		log_line("cannot start the replica: %s", err_text(err));
	return err;
}

void serve_replica_upgrade(void *context, struct store *store, int64_t schema, const char *mark)
{
	const struct settings *settings = context;
	const char *dir = settings->text[SETTING_REPLICATE_TO];
	struct buf why = {0};
	enum err err = OK;

	if (dir)
		err = replica_before_upgrade(store, dir,
					     (unsigned)settings->number[SETTING_REPLICATE_KEEP],
					     schema, mark, &why);
	if (err)
		log_line("the replica does not have the state before the upgrade: %.*s",
			 (int)why.len, why.ptr ? why.ptr : err_text(err));
	buf_release(&why);
}

json_t *replica_json(struct replica *replica)
{
	static const char *const states[] = {[REPLICA_STARTING] = "starting",
					     [REPLICA_FOLLOWING] = "following",
					     [REPLICA_FAILING] = "failing"};
	struct replica_counters counters;
	char synced[TIMESTAMP_LEN + 1] = "";
	json_t *section;

	replica_count(replica, &counters);
	if (counters.synced_at != TIME_NONE)
		timestamp_write(counters.synced_at, synced);
	section = json_pack("{ss sI sI sI ss ss sb sI sI sI}", "state", states[counters.state],
			    "generation", (json_int_t)counters.generation, "lag_ms",
			    (json_int_t)counters.lag_ms, "lag_commits",
			    (json_int_t)counters.lag_commits, "last_fsync", synced, "last_error",
			    counters.error, "copying", counters.copying, "commits",
			    (json_int_t)counters.commits, "written_bytes",
			    (json_int_t)counters.written_bytes, "failures",
			    (json_int_t)counters.failures);
	/* A name of a file need not be UTF-8. */
	if (!section)
		section = json_pack("{ss}", "state", states[counters.state]);
	return section;
}
