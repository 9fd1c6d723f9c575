/* SPDX-License-Identifier: MIT */
/* Which files libpq reads for a URL. */
#include "db/files.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

#define PATH_BYTES 4096
#define SYSTEM "system" /* of sslrootcert: the certificates of the system */

/* The parameters whose values are files or folders. */
static const char *const parameters[] = {"passfile",    "sslcert", "sslkey",
					 "sslrootcert", "sslcrl",  "sslcrldir"};
static const char *const home_files[] = {".postgresql", ".pgpass", ".pg_service.conf"};

static const char *option_value(const PQconninfoOption *options, const char *name)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val;
	return NULL;
}

static void files_tell(const PQconninfoOption *options, postgres_file_fn *on_file, void *context)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++) {
		const char *path = option_value(options, parameters[i]);

		if (path && *path && strcmp(path, SYSTEM) != 0)
			on_file(context, path, false);
	}
}

static void home_tell(const char *home, postgres_file_fn *on_file, void *context)
{
	for (size_t i = 0; home && i < COUNT_OF(home_files); i++) {
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "%.4000s/%s", home, home_files[i]);
		on_file(context, path, true);
	}
}

/* PQconndefaults() reads the file of services, and takes the service's name from PGSERVICE. For
 * connections the URL's own goes first, so that the variable changes nothing. */
static void service_set(const PQconninfoOption *given)
{
	const char *service = option_value(given, "service");

	if (service)
		setenv("PGSERVICE", service, 1);
}

void postgres_files(const char *url, postgres_file_fn *on_file, void *context)
{
	PQconninfoOption *given = PQconninfoParse(url, NULL), *preset;
	const struct passwd *user = getpwuid(geteuid());
	const char *services = getenv("PGSERVICEFILE");

	service_set(given);
	preset = PQconndefaults();
	files_tell(given, on_file, context);
	files_tell(preset, on_file, context);
	home_tell(getenv("HOME"), on_file, context);
	home_tell(user ? user->pw_dir : NULL, on_file, context);
	if (services)
		on_file(context, services, false);
	PQconninfoFree(given);
	PQconninfoFree(preset);
}
