/* SPDX-License-Identifier: MIT */
/* docket restore: makes a data folder of a moment from a replica. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_private.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "place/place.h"
#include "replica/replica.h"

/* Reads --at or --change. `name` has the account of --change. */
static bool until_read(const struct settings *settings, struct arena *arena,
		       struct replica_until *until)
{
	const char *at = settings->text[SETTING_AT], *change = settings->text[SETTING_CHANGE];
	const char *colon = change ? strrchr(change, ':') : NULL;
	char *end = NULL;

	if (at && change) {
		settings_wrong(settings, SETTING_CHANGE, "cannot be given with --at");
		return false;
	}
	if (at) {
		until->kind = REPLICA_TIME;
		if (timestamp_parse(slice_of(at), TIME_LAST, &until->at))
			return true;
		settings_wrong(settings, SETTING_AT,
			       "must be a time such as 2027-01-31T12:00:00Z; got \"%s\"", at);
		return false;
	}
	if (!change)
		return true;
	until->kind = REPLICA_CHANGE;
	errno = 0;
	if (colon && colon > change && colon[1] >= '0' && colon[1] <= '9')
		until->change = strtoll(colon + 1, &end, 10);
	until->account =
		arena_copy(arena, (struct slice){change, colon ? (size_t)(colon - change) : 0});
	if (end && !*end && !errno && until->account)
		return true;
	settings_wrong(settings, SETTING_CHANGE,
		       "must be an account and a change number, such as main:1234; got \"%s\"",
		       change);
	return false;
}

static void report_print(const struct settings *settings, const struct replica_until *until,
			 const struct replica_report *report)
{
	char at[TIMESTAMP_LEN];

	timestamp_write(report->at, at);
	fprintf(settings->out,
		"%s the state of %.*s: the full copy of generation %lld and %lld commits after it\n",
		settings->number[SETTING_DRY_RUN] ? "would restore" : "restored", TIMESTAMP_LEN, at,
		(long long)report->generation, (long long)report->commits);
	if (until->kind == REPLICA_CHANGE)
		fprintf(settings->out, "the last change of the account \"%s\" in it is %lld\n",
			until->account, (long long)report->last_change);
	if (report->note)
		fprintf(settings->err, "note: %s\n", report->note);
	if (report->damage)
		fprintf(settings->err,
			"the replica is damaged: %s. What comes after it was not restored\n",
			report->damage);
}

static enum err folder_restore(const struct settings *settings, const struct replica_until *until,
			       struct replica_report *report, struct buf *why)
{
	const char *from = settings->text[SETTING_FROM], *folder = settings->text[SETTING_DATA];
	char path[STORE_PATH_BYTES];
	bool made;
	enum err err;

	if (settings->number[SETTING_DRY_RUN])
		return replica_restore(from, until, NULL, report, why);
	made = mkdir(folder, 0700) == 0;
	if (!made && errno != EEXIST) {
		buf_printf(why, "cannot make the folder %s: %s", folder, strerror(errno));
		return ERR_IO;
	}
	snprintf(path, sizeof(path), "%s/docket.db-wal", folder);
	if (access(path, F_OK) == 0) {
		buf_printf(why, "%s exists: docket restores only into a folder without data", path);
		return ERR_EXISTS;
	}
	snprintf(path, sizeof(path), "%s/docket.db", folder);
	if (access(path, F_OK) == 0) {
		buf_printf(why, "%s exists: docket restores only into a folder without data", path);
		return ERR_EXISTS;
	}
	err = replica_restore(from, until, path, report, why);
	if (err && made)
		rmdir(folder);
	return err;
}

enum exit_status command_restore(const struct settings *settings)
{
	struct replica_until until = {.kind = REPLICA_END};
	struct arena arena = {0};
	struct replica_report report = {.arena = &arena};
	struct buf why = {0};
	enum exit_status status = EXIT_USAGE;

	if (until_read(settings, &arena, &until)) {
		enum err err = folder_restore(settings, &until, &report, &why);

		if (err)
			log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
		else
			report_print(settings, &until, &report);
		status = err || report.damage ? EXIT_FAILED : EXIT_OK;
	}
	buf_release(&why);
	arena_release(&arena);
	return status;
}
