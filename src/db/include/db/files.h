/* SPDX-License-Identifier: MIT */
/* The files that a connection to PostgreSQL needs. */
#ifndef DB_FILES_H
#define DB_FILES_H

#include <stdbool.h>

/* `in_home`: it has its place in the home folder, and nothing else names it. */
typedef void postgres_file_fn(void *context, const char *path, bool in_home);

/* Calls `on_file` for each file or folder that libpq may read for a URL: certificates, keys, the
 * files of passwords and of services. They need not exist. The URL may name them, or an environment
 * variable, or the file of services; otherwise they are in the user's home folder. A URL that
 * cannot be read names none. Call it before any thread starts: it may set PGSERVICE. */
void postgres_files(const char *url, postgres_file_fn *on_file, void *context);

#endif
